using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>
/// Runs a part of a test on another thread; its exception is the test's, and its end is waited for with a deadline.
/// </summary>
/// <remarks>
/// The threads are used again and never exit: Wine loses the result of a read that is completed while the thread which
/// issued it is exiting (the OVERLAPPED then says "pending" for ever; Windows has no such rule for handles with a port).
/// </remarks>
internal sealed class TestThread
{
    private static readonly ConcurrentStack<Worker> s_idle = [];

    private readonly Action _body;
    private readonly object _lock = new();
    private bool _hasEnded;
    private ExceptionDispatchInfo? _failure;

    private TestThread(Action body)
    {
        _body = body;
    }

    public static TestThread Start(Action body)
    {
        TestThread part = new(body);
        if (!s_idle.TryPop(out Worker? worker))
        {
            worker = new Worker();
        }

        worker.Give(part);
        return part;
    }

    /// <summary>Runs what might hang if the library were wrong.</summary>
    public static void Run(Action body) => Start(body).Join();

    public void Join()
    {
        Deadline deadline = Deadline.New();
        lock (_lock)
        {
            while (!_hasEnded)
            {
                deadline.Check("The end of the thread's work");
                Monitor.Wait(_lock, deadline.Left);
            }
        }

        _failure?.Throw();
    }

    private void RunBody()
    {
        try
        {
            _body();
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    private void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            Monitor.PulseAll(_lock);
        }
    }

    private sealed class Worker
    {
        private readonly object _lock = new();
        private TestThread? _part;

        public Worker()
        {
            new Thread(Serve) { IsBackground = true, Name = nameof(TestThread) }.Start();
        }

        public void Give(TestThread part)
        {
            lock (_lock)
            {
                _part = part;
                Monitor.Pulse(_lock);
            }
        }

        private TestThread Take()
        {
            lock (_lock)
            {
                while (_part is null)
                {
                    Monitor.Wait(_lock);
                }

                TestThread part = _part;
                _part = null;
                return part;
            }
        }

        private void Serve()
        {
            for (; ; )
            {
                TestThread part = Take();
                part.RunBody();
                s_idle.Push(this);
                part.End();
            }
        }
    }
}
