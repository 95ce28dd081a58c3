// StreamJsonRpc over a NamedPipeStream, and over its view for System.IO.Pipelines: both ends call each other, many calls at once.
// Everything runs in this process and is verified; the exit code says whether it held.
using RpcSample;

(string What, Func<RpcConnection, Task> Check)[] checks =
[
    ("concurrent calls in both directions", Checks.ConcurrentCallsAsync),
    ("an argument and a result of 4 MB", Checks.LargeArgumentAsync),
    ("1,000 notifications in order", Checks.NotificationsAsync),
    ("an exception of the server's", Checks.RemoteExceptionAsync),
    ("a call that is cancelled", Checks.CancellationAsync),
    ("a server that dies in the middle of a call", Checks.DyingServerAsync),
];

int failed = 0;
foreach (Transport transport in Enum.GetValues<Transport>())
{
    foreach ((string what, Func<RpcConnection, Task> check) in checks)
    {
        try
        {
            await using RpcConnection connection = await RpcConnection.NewAsync(transport);
            await check(connection).WaitAsync(TimeSpan.FromSeconds(60));
            Console.WriteLine($"ok: {transport}: {what}");
        }
        catch (Exception error)
        {
            failed++;
            Console.WriteLine($"FAILED: {transport}: {what}: {error}");
        }
    }
}

return failed == 0 ? 0 : 1;
