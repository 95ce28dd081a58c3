using System.Runtime.ExceptionServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>A thread whose exception is the test's, and whose end is waited for with a deadline.</summary>
internal sealed class TestThread
{
    private readonly Thread _thread;
    private ExceptionDispatchInfo? _failure;

    private TestThread(Action body)
    {
        _thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e)
            {
                _failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        {
            IsBackground = true,
        };
        _thread.Start();
    }

    public bool HasEnded => !_thread.IsAlive;

    public static TestThread Start(Action body) => new(body);

    /// <summary>Runs what might hang if the library were wrong.</summary>
    public static void Run(Action body) => Start(body).Join();

    public void Join()
    {
        if (!_thread.Join(Deadline.Step))
        {
            Assert.Fail($"The thread did not end within {Deadline.Step.TotalSeconds} s.");
        }

        _failure?.Throw();
    }
}
