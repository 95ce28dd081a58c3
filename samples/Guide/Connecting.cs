namespace NamedPipeShim.Samples.Guide;

/// <summary>The ways in which connecting can fail.</summary>
internal static class Connecting
{
    public static async Task RunAsync()
    {
        string name = Names.New("nobody");
        Check.That(await TryAsync(name, TimeSpan.Zero) == NamedPipeError.NotFound, "one try says that nobody is there");
        Check.That(await TryAsync(name, TimeSpan.FromMilliseconds(30)) == NamedPipeError.TimedOut, "waiting ends");
    }

    private static async Task<NamedPipeError> TryAsync(string name, TimeSpan timeout)
    {
        try
        {
            var options = new NamedPipeClientOptions { Name = name, Timeout = timeout };
            await using NamedPipeStream stream = await NamedPipeStream.ConnectAsync(options);
            return NamedPipeError.None;
        }
        catch (NamedPipeException error)
        {
            // NotFound: nobody serves the name.     PipeBusy: all instances have a client.
            // AccessDenied: not for this user.      TimedOut: not found or busy until the end; InnerException says which.
            return error.Error;
        }
    }
}
