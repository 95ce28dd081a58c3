namespace NamedPipeShim.Samples.Transfer;

/// <summary><c>transfer send NAME FILE…</c>: sends files to a receiver in another process.</summary>
internal static class SendCommand
{
    /// <returns>The exit code: 0 when every file was verified at the other end.</returns>
    public static int Run(string name, IEnumerable<string> paths, TimeSpan wait)
    {
        var progress = new ProgressLine();
        string current = "";
        int failed = 0;
        using var sender = new Sender(name, wait, (done, total) => progress.Report(current, done, total));
        foreach (string path in paths)
        {
            current = Path.GetFileName(path);
            try
            {
                SentFile sent = sender.Send(path);
                progress.Say($"verified  {current}  {Text.Speed(sent.Length, sent.Elapsed)}  {Text.Hash(sent.Hash)}");
            }
            catch (NamedPipeException exception) when (exception.Error == NamedPipeError.NotFound)
            {
                // Nor would the next file find anybody.
                progress.Complain($"transfer: nobody receives on {name}: {exception.Message}");
                return 1;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                failed++;
                progress.Complain($"failed    {path}: {exception.Message}");
            }
        }

        return failed == 0 ? 0 : 1;
    }
}
