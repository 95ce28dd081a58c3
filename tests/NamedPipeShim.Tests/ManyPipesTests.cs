using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What the library is for: thousands of pipes on one thread.</summary>
public class ManyPipesTests
{
    private const int MessageSize = 1_000;
    private const int Rounds = 3;

    [Test]
    [Category("P1")]
    public void ThousandsOfPairs_OnOnePoller_ExchangeVerifiedMessages()
    {
        int pairs = RunningSystem.Rounds(2_000, underWine: 300);
        using TestLoop loop = new();
        string name = PipeNames.New();
        TestEnd[] servers = new TestEnd[pairs];
        TestEnd[] clients = new TestEnd[pairs];
        for (int i = 0; i < pairs; i++)
        {
            servers[i] = loop.Listen(name);
            clients[i] = loop.Add(NamedPipe.OpenClient(name));
            servers[i].AwaitConnected();
        }

        for (int round = 0; round < Rounds; round++)
        {
            Exchange(loop, clients, servers, round);
            Exchange(loop, servers, clients, round + Rounds);
        }

        Array.ForEach(clients, client => client.Dispose());
        for (int i = 0; i < pairs; i++)
        {
            Assert.That(servers[i].ReadToEnd(), Is.Empty);
            servers[i].Dispose();
        }
    }

    /// <summary>Every sender sends one message; the receivers take theirs as events tell.</summary>
    private static void Exchange(TestLoop loop, TestEnd[] senders, TestEnd[] receivers, int round)
    {
        PipeEvent[] events = new PipeEvent[512];
        Dictionary<nuint, int> indexes = [];
        int[] have = new int[receivers.Length];
        for (int i = 0; i < receivers.Length; i++)
        {
            indexes[receivers[i].Token] = i;
        }

        for (int i = 0; i < receivers.Length; i++)
        {
            Read(receivers[i], i);
        }

        for (int i = 0; i < senders.Length; i++)
        {
            senders[i].WriteAll(Pattern.Of(MessageSize, Seed(i)));
        }

        for (int i = 0; i < receivers.Length; i++)
        {
            Read(receivers[i], i);
        }

        Deadline deadline = Deadline.New();
        while (have.Any(bytes => bytes < MessageSize))
        {
            deadline.Check("The arrival of all messages");
            int count = loop.Poller.Wait(events, deadline.Left);
            foreach (PipeEvent one in events.AsSpan(0, count))
            {
                if (one.IsReadable && indexes.TryGetValue(one.Token, out int index))
                {
                    Read(receivers[index], index);
                }
            }
        }

        int Seed(int index) => (round * 10_000) + index;

        void Read(TestEnd receiver, int index)
        {
            Span<byte> buffer = stackalloc byte[600];
            while (receiver.Pipe.TryRead(buffer, out int count) == PipeStatus.Ok)
            {
                Pattern.Verify(buffer[..count], Seed(index), have[index]);
                have[index] += count;
            }

            Assert.That(have[index], Is.LessThanOrEqualTo(MessageSize));
        }
    }
}
