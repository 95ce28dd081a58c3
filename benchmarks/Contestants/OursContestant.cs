namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>The library's readiness API, played exactly as native/driver.c plays its transports.</summary>
internal sealed class OursContestant : IContestant
{
    public const string Who = "ours-csharp";

    private readonly List<OursSide> _held = [];
    private int _names;

    public Measure Run(Play play)
    {
        var payload = new Payload(play.Size);
        using var server = new OursSide(play, payload, server: true);
        using var client = new OursSide(play, payload, server: false);
        string name = NextName();
        if (play.Scenario == Scenario.Connect)
        {
            server.Listen(0, name);
            Connects(server, client, name, play.Warmup);
            Measure.Start start = Measure.Start.Now();
            Connects(server, client, name, play.Operations);
            return start.End();
        }

        Connect(server, client, name, play.Pipes);
        return play.Variant == Play.TwoThreads ? RunTwoThreads(play, server, client) : RunBoth(play, server, client);
    }

    public void HoldPairs(int pairs)
    {
        var play = new Play(Play.OneThread, Scenario.Idle, 1, pairs, 1, 1);
        var payload = new Payload(0);
        _held.Add(new OursSide(play, payload, server: true));
        _held.Add(new OursSide(play, payload, server: false));
        Connect(_held[0], _held[1], NextName(), pairs);
    }

    public void Dispose() => _held.ForEach(side => side.Dispose());

    private string NextName() => $"nps-bench-cs-{Environment.ProcessId}-{_names++}";

    private static void Connect(OursSide server, OursSide client, string name, int pipes)
    {
        for (int i = 0; i < pipes; i++)
        {
            server.Listen(i, name);
            client.Open(i, name);
            while (!server.Ends[i].IsConnected)
            {
                server.Wait(Timeout.InfiniteTimeSpan);
            }
        }
    }

    private static Measure RunTwoThreads(Play play, OursSide server, OursSide client)
    {
        var thread = new Thread(() =>
        {
            while (server.Messages < play.Warmup + play.Operations || server.Blocked > 0)
            {
                server.Wait(Timeout.InfiniteTimeSpan);
            }
        });
        thread.Start();
        Measure measure = RunBoth(play, server, client);
        thread.Join();
        return measure;
    }

    private static Measure RunBoth(Play play, OursSide server, OursSide client)
    {
        Part(play, server, client, play.Warmup);
        Measure.Start start = Measure.Start.Now();
        Part(play, server, client, play.Operations);
        return start.End();
    }

    private static void Part(Play play, OursSide server, OursSide client, long operations)
    {
        if (play.Scenario == Scenario.Stream)
        {
            client.StreamTarget += operations;
            client.Stream(client.Ends[0]);
            UntilAnswered(play, server, client, client.Messages + 1);
            return;
        }

        for (long done = 0; done < operations; done += play.Pipes)
        {
            foreach (OursEnd end in client.Ends)
            {
                _ = end.Send();
            }

            UntilAnswered(play, server, client, client.Messages + play.Pipes);
        }
    }

    private static void UntilAnswered(Play play, OursSide server, OursSide client, long messages)
    {
        bool twoThreads = play.Variant == Play.TwoThreads;
        while (client.Messages < messages)
        {
            if (twoThreads)
            {
                client.Wait(Timeout.InfiniteTimeSpan);
            }
            else
            {
                Turn(client, server);
                Turn(server, client);
            }
        }
    }

    /// <summary>
    /// One thread for both: a side waits if something is on its way to it, and looks if it waits to write.
    /// </summary>
    private static void Turn(OursSide from, OursSide to)
    {
        long onTheWay = 0;
        for (int i = 0; i < from.Ends.Length; i++)
        {
            onTheWay += from.Ends[i].SentBytes - to.Ends[i].ReceivedBytes;
        }

        if (onTheWay > 0)
        {
            to.Wait(Timeout.InfiniteTimeSpan);
        }
        else if (to.Blocked > 0)
        {
            to.Wait(TimeSpan.Zero);
        }
    }

    /// <summary>The server sees the client, its byte and its end, then listens again.</summary>
    private static void Connects(OursSide server, OursSide client, string name, long operations)
    {
        for (long i = 0; i < operations; i++)
        {
            long messages = server.Messages;
            long closed = server.Closed;
            client.Open(0, name);
            while (!server.Ends[0].IsConnected)
            {
                server.Wait(Timeout.InfiniteTimeSpan);
            }

            _ = client.Ends[0].Send();
            while (server.Messages == messages)
            {
                server.Wait(Timeout.InfiniteTimeSpan);
            }

            client.Ends[0].Pipe.Dispose();
            while (server.Closed == closed)
            {
                server.Wait(Timeout.InfiniteTimeSpan);
            }

            _ = server.Ends[0].Pipe.Disconnect(listen: true);
        }
    }
}
