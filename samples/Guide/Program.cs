// The programs of docs/csharp.md and docs/migrating.md, each of which checks what it did. Without an argument: all of them.
using NamedPipeShim.Samples.Guide;

(string Name, Func<Task> Run)[] programs =
[
    ("echo", Echo.RunAsync),
    ("cancellation", Cancellation.RunAsync),
    ("connecting", Connecting.RunAsync),
    ("loops", Loops.RunAsync),
    ("readiness", Readiness.RunAsync),
    ("messages", Messages.RunAsync),
    ("peers", Peers.RunAsync),
    ("pipelines", Pipelines.RunAsync),
    ("handles", Handles.RunAsync),
    ("migrating", Migrating.RunAsync),
];

foreach ((string name, Func<Task> run) in programs)
{
    if (args.Length == 0 || args.Contains(name))
    {
        await run().WaitAsync(TimeSpan.FromSeconds(60));
        Console.WriteLine($"{name}: as it should be");
    }
}
