using System.Runtime.CompilerServices;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What C# adds to closing: any order, finalizers, handles dropped without a Dispose. X2, X3.</summary>
public class DisposalTests
{
    private static readonly int[][] s_orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    [Test]
    [Category("X2")]
    public void PollerServerAndClient_AreDisposedInAnyOrder(
        [ValueSource(nameof(s_orders))] int[] order, [Values] bool inFlight, [Values] bool onThreads)
    {
        int before = ProcessHandles.Count();
        for (int round = 0; round < 10; round++)
        {
            TestLoop loop = new();
            PipePair pair = PipePair.New(loop);
            if (inFlight)
            {
                pair.Server.Drain();
                pair.Client.Drain();
            }

            // Aborting what would linger: nobody reads it any more.
            IDisposable[] objects = [loop, pair.Server, pair.Client];
            foreach (int which in order)
            {
                if (onThreads)
                {
                    TestThread.Run(objects[which].Dispose);
                }
                else
                {
                    objects[which].Dispose();
                }
            }

            Array.ForEach(objects, one => one.Dispose());
        }

        ProcessHandles.AwaitAtMost(before);
    }

    [Test]
    [Category("X2")]
    public void PollerServerAndClient_AreDisposedAtOnce_FromThreeThreads()
    {
        for (int round = 0; round < 100; round++)
        {
            TestLoop loop = new();
            PipePair pair = PipePair.New(loop);
            pair.Server.Drain();
            TestThread[] threads = [.. new IDisposable[] { loop, pair.Server, pair.Client }.Select(one => TestThread.Start(one.Dispose))];
            Array.ForEach(threads, thread => thread.Join());
        }
    }

    [Test]
    [Category("X3")]
    public void ObjectsThatWereDropped_AreReleasedByTheCollector()
    {
        string name = PipeNames.New();
        DropPollerWithPipes(name);
        Collect();
        int before = ProcessHandles.Count();
        for (int i = 0; i < 50; i++)
        {
            DropPollerWithPipes(PipeNames.New());
            DropPipesOfNoPoller(PipeNames.New());
        }

        AwaitCollected(() => ProcessHandles.Count() <= before + 8, "The release of the handles");

        // The names are free again.
        using NamedPipe first = NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, FirstInstance = true });
    }

    [Test]
    [Category("X3")]
    public void PipesThatWereDropped_LeaveTheirPollerUsable()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using PipePair pair = PipePair.New(loop);
        for (int i = 0; i < 20; i++)
        {
            DropPipes(loop, name);
        }

        AwaitCollected(
            () =>
            {
                try
                {
                    NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, FirstInstance = true }).Dispose();
                    return true;
                }
                catch (NamedPipeException)
                {
                    return false;
                }
            },
            "The release of the name");
        pair.Server.SendTo(pair.Client, 10_000, seed: 1);
    }

    [Test]
    [Category("X2")]
    public void APipeThatIsAlive_KeepsItsPollerAlive()
    {
        string name = PipeNames.New();
        (NamedPipe server, WeakReference poller) = RegisterAndDropThePoller(name);
        Collect();
        Collect();
        Assert.That(poller.IsAlive);
        Assert.That(server.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock), "not closed");
        server.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (NamedPipe Server, WeakReference Poller) RegisterAndDropThePoller(string name)
    {
        NamedPipePoller poller = new();
        NamedPipe server = NamedPipe.CreateServer(name);
        server.Register(poller, 1, PipeInterest.Both);
        return (server, new WeakReference(poller));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropPollerWithPipes(string name)
    {
        TestLoop loop = new();
        PipePair pair = PipePair.New(loop);
        pair.Server.Drain();
        pair.Client.WriteUntilFull(seed: 1);
        loop.Listen(name);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropPipesOfNoPoller(string name)
    {
        NamedPipe.CreateServer(name);
        NamedPipe.OpenClient(name);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropPipes(TestLoop loop, string name)
    {
        loop.Listen(name);
        PipePair pair = PipePair.New(loop);
        pair.Server.Drain();
    }

    /// <summary>Finalizers must neither block nor fail.</summary>
    private static void Collect() => TestThread.Run(() =>
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    });

    private static void AwaitCollected(Func<bool> condition, string what) => Deadline.WaitFor(
        () =>
        {
            Collect();
            return condition();
        },
        what);
}
