namespace NamedPipeShim.Samples.Guide;

/// <summary>A loop of the program's own: one thread, many clients, no async.</summary>
internal static class Readiness
{
    private const int Clients = 20;

    public static async Task RunAsync()
    {
        string name = Names.New("ready");
        Task<int> serving = Task.Run(() => Serve(name));
        for (int i = 0; i < Clients; i++)
        {
            var options = new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromSeconds(5) };
            await using NamedPipeStream client = await NamedPipeStream.ConnectAsync(options);
            await client.WriteAsync(new byte[i]);
        }

        Check.That(await serving == Clients * (Clients - 1) / 2, "every byte was counted");
    }

    // Counts the bytes that its clients send.
    private static int Serve(string name)
    {
        using var poller = new NamedPipePoller();
        NamedPipe[] instances = new NamedPipe[4];
        for (int i = 0; i < instances.Length; i++)
        {
            instances[i] = NamedPipe.CreateServer(name);
            instances[i].Register(poller, token: (nuint)i, PipeInterest.Both);
            instances[i].TryConnect(); // begins to wait for a client
        }

        int bytes = 0, served = 0;
        byte[] buffer = new byte[4096];
        var events = new PipeEvent[instances.Length];
        while (served < Clients)
        {
            int count = poller.Wait(events, Timeout.InfiniteTimeSpan);
            foreach (PipeEvent ready in events.AsSpan(0, count))
            {
                NamedPipe pipe = instances[(int)ready.Token];
                PipeStatus status = pipe.TryConnect();
                while (status == PipeStatus.Ok)
                {
                    status = pipe.TryRead(buffer, out int read);
                    bytes += read;
                    if (status == PipeStatus.EndOfStream)
                    {
                        served++;
                        status = pipe.Disconnect(listen: true); // and on to the next client
                    }
                }
            }
        }

        Array.ForEach(instances, pipe => pipe.Dispose());
        return bytes;
    }
}
