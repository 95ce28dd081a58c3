namespace NamedPipeShim.Samples.Guide;

/// <summary>The same server and client on System.IO.Pipes (Before) and on this library (After), in every combination.</summary>
internal static class Migrating
{
    public static async Task RunAsync()
    {
        (Func<string, Task> Serve, Func<string, Task<string>> Ask)[] versions =
            [(Before.ServeOneAsync, Before.AskAsync), (After.ServeOneAsync, After.AskAsync)];
        foreach ((Func<string, Task> serve, _) in versions)
        {
            foreach ((_, Func<string, Task<string>> ask) in versions)
            {
                string name = Names.New("move");
                Task serving = serve(name);
                Check.That(await ask(name) == "HELLO", "before and after answer alike");
                await serving;
            }
        }
    }
}
