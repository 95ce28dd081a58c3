using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>A process that connects to a pipe, writes <see cref="Pattern"/>, and ends.</summary>
internal static class ExitingClient
{
    public const int Bytes = 100_000;
    public const string Disposes = "disposes";
    public const string LeavesOpen = "leaves";

    private const string TaskVariable = "NPS_TEST_EXITING_CLIENT";

    private static NamedPipeStream? s_stream; // so that it is not collected

    public static Process Start(string name, string how) => ThisProgram.Start(TaskVariable, $"{how} {name}");

    [ModuleInitializer]
    internal static void RunIfToldTo()
    {
        if (Environment.GetEnvironmentVariable(TaskVariable)?.Split(' ') is [string how, string name])
        {
            WineFixes.Install();
            s_stream = NamedPipeStream.ConnectAsync(new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step })
                .AsTask().GetAwaiter().GetResult(); // on this thread: no other may use this program's types before the initializer has ended
            s_stream.Write(Pattern.Of(Bytes));
            if (how == Disposes)
            {
                s_stream.Dispose();
            }

            Environment.Exit(0);
        }
    }
}
