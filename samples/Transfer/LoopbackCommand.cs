using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace NamedPipeShim.Samples.Transfer;

/// <summary><c>transfer</c> alone: a file of the .NET runtime goes from one thread of this process to another.</summary>
internal static class LoopbackCommand
{
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(10);

    /// <returns>The exit code: 0 when both ends agree on every byte.</returns>
    public static int Run()
    {
        string path = FileOfTheRuntime();
        string name = $"transfer-{Environment.ProcessId}";
        Console.WriteLine(path);
        Console.WriteLine($"through the pipe {name}, from one thread to another");

        using var signals = new StopSignals();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(signals.Token);
        ReceivedTransfer? received = null;
        var receiver = new Receiver(name, folder: null, transfer => received = transfer);
        Task receiving = Task.Factory.StartNew(
            Receive, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        SentFile sent;
        try
        {
            sent = SendFile(name, path);
        }
        catch
        {
            stop.Cancel();
            throw;
        }
        finally
        {
            // If it is the receiver that failed, this throws its reason instead of what the sender saw of it.
            receiving.GetAwaiter().GetResult();
        }

        Console.WriteLine($"sent      {Text.Hash(sent.Hash)}");
        Console.WriteLine($"received  {Text.Hash(received?.Hash ?? [])}");
        if (received is not { Problem: null } || received.Length != sent.Length || !received.Hash.AsSpan().SequenceEqual(sent.Hash))
        {
            Console.Error.WriteLine($"transfer: what arrived is not what was sent: {received?.Problem ?? "the ends disagree"}");
            return 1;
        }

        Console.WriteLine($"verified  {Text.Speed(sent.Length, sent.Elapsed)}, with SHA-256 at both ends");
        return 0;

        void Receive()
        {
            // However this ends, the sender must not wait for ever: closing tells it.
            using (receiver)
            {
                receiver.Run(() => received is not null && receiver.Connected == 0, stop.Token);
            }
        }
    }

    private static SentFile SendFile(string name, string path)
    {
        var progress = new ProgressLine();
        using var sender = new Sender(name, s_wait, (done, total) => progress.Report("sending ", done, total));
        try
        {
            return sender.Send(path);
        }
        finally
        {
            progress.Keep();
        }
    }

    // Its largest, when the file system has it; a program in a single file has none but itself.
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is provided for.")]
    private static string FileOfTheRuntime()
    {
        string[] candidates =
        [
            typeof(object).Assembly.Location,
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "System.Private.CoreLib.dll"),
            Environment.ProcessPath ?? "",
        ];
        return candidates.FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("There is no file of the .NET runtime to send.");
    }
}
