namespace NamedPipeShim.Samples.Transfer;

/// <summary><c>transfer serve NAME</c>: receives from many senders at once, on one thread.</summary>
internal static class ServeCommand
{
    /// <returns>The exit code: 0 when all that came was verified.</returns>
    public static int Run(string name, string? folder, int? count)
    {
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
        }

        var progress = new ProgressLine();
        int verified = 0;
        int failed = 0;
        long bytes = 0;
        using var signals = new StopSignals();
        using (var receiver = new Receiver(name, folder, Ended))
        {
            progress.Say($"receiving on {name}; Ctrl+C stops");
            receiver.Run(IsDone, signals.Token);

            bool IsDone()
            {
                if (receiver.Connected > 0 && progress.IsDue)
                {
                    progress.Show($"{receiver.Connected} connected, {verified} verified, {failed} failed");
                }

                return verified + failed >= count;
            }
        }

        progress.Say($"{verified} verified, {failed} failed, {Text.Size(bytes)}");
        return failed == 0 ? 0 : 1;

        void Ended(ReceivedTransfer transfer)
        {
            if (transfer.Problem is null)
            {
                verified++;
                bytes += transfer.Length;
                string speed = Text.Speed(transfer.Length, transfer.Elapsed);
                progress.Say($"verified  {transfer.Name}  {speed}  {Text.Hash(transfer.Hash)}");
            }
            else
            {
                failed++;
                string what = transfer.Name ?? "(no name)";
                progress.Complain($"failed    {what}  after {Text.Size(transfer.Length)}: {transfer.Problem}");
            }
        }
    }
}
