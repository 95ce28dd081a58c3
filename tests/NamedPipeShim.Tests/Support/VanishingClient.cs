using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.CompilerServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>
/// A process that connects to a pipe and closes, again and again, and does nothing else, until it is killed: so that happens in the middle
/// of it.
/// </summary>
internal sealed class VanishingClient : IDisposable
{
    private const string NameVariable = "NPS_TEST_VANISHING_CLIENT_OF";
    private const int LongestLifeMilliseconds = 60_000; // if nobody is left to kill it

    private readonly Process _process;

    private VanishingClient(Process process) => _process = process;

    public static VanishingClient Start(string name) => new(ThisProgram.Start(NameVariable, name));

    /// <summary>Kills it in whatever it is doing.</summary>
    public void Kill()
    {
        Assert.That(_process.HasExited, Is.False, "it goes on until it is killed");
        _process.Kill();
        Assert.That(_process.WaitForExit(Deadline.Step), Is.True);
    }

    public void Dispose()
    {
        _process.Kill(); // of one that has ended it does nothing
        _process.Dispose();
    }

    [ModuleInitializer]
    internal static void RunIfToldTo()
    {
        if (Environment.GetEnvironmentVariable(NameVariable) is { } name)
        {
            WineFixes.Install();
            ConnectAgainAndAgain(name); // on this thread: no other may use this program's types before the initializer has ended
            Environment.Exit(0);
        }
    }

    private static void ConnectAgainAndAgain(string name)
    {
        long begin = Environment.TickCount64;
        for (int kind = 0; Environment.TickCount64 - begin < LongestLifeMilliseconds; kind++)
        {
            try
            {
                if (kind % 2 == 0)
                {
                    using NamedPipe ours = NamedPipe.OpenClient(name);
                    ours.Abort();
                }
                else
                {
                    using NamedPipeClientStream theirs = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
                    theirs.Connect(0);
                }
            }
            catch (Exception error) when (error is IOException or TimeoutException)
            {
                // Busy: tried again.
            }
        }
    }
}
