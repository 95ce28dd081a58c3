using StreamJsonRpc;

namespace RpcSample;

/// <summary>What is shown, and verified.</summary>
internal static class Checks
{
    public static async Task ConcurrentCallsAsync(RpcConnection connection)
    {
        const int Calls = 200;
        Task<int>[] sums = [.. Enumerable.Range(0, Calls).Select(i => connection.Client.InvokeAsync<int>("Add", i, 1_000))];
        Task<int>[] doubles = [.. Enumerable.Range(0, Calls).Select(i => connection.Server.InvokeAsync<int>("Double", i))];
        Task<int>[] thereAndBack =
            [.. Enumerable.Range(0, Calls).Select(i => connection.Client.InvokeAsync<int>("DoubleByTheClientAsync", i))];
        for (int i = 0; i < Calls; i++)
        {
            Require(await sums[i] == i + 1_000, "a sum");
            Require(await doubles[i] == 2 * i, "a number doubled by the client");
            Require(await thereAndBack[i] == 2 * i, "a number doubled through both");
        }
    }

    public static async Task LargeArgumentAsync(RpcConnection connection)
    {
        string text = string.Create(4 << 20, 0, static (chars, _) =>
        {
            for (int i = 0; i < chars.Length; i++)
            {
                chars[i] = (char)('a' + (i + i / 26) % 26);
            }
        });
        Require(await connection.Client.InvokeAsync<string>("Same", text) == text, "the text that came back");
    }

    public static async Task NotificationsAsync(RpcConnection connection)
    {
        const int Count = 1_000;
        for (int i = 0; i < Count; i++)
        {
            await connection.Client.NotifyAsync("Note", i);
        }

        Require(await connection.Client.InvokeAsync<int>("CountNotes") == Count, "the number of notifications");
        Require(connection.Target.Notes.SequenceEqual(Enumerable.Range(0, Count)), "their order");
    }

    public static async Task RemoteExceptionAsync(RpcConnection connection)
    {
        RemoteInvocationException error =
            await FailureAsync<RemoteInvocationException>(connection.Client.InvokeAsync<int>("Fail"));
        Require(error.Message == "on purpose", "the exception's message");
        Require(await connection.Client.InvokeAsync<int>("Add", 1, 2) == 3, "the call after it");
    }

    public static async Task CancellationAsync(RpcConnection connection)
    {
        using CancellationTokenSource source = new();
        Task call = connection.Client.InvokeWithCancellationAsync("WaitAsync", [], source.Token);
        await StartedAsync(call, connection.Target);
        source.Cancel();
        _ = await FailureAsync<OperationCanceledException>(call);
        await connection.Target.Cancelled.Task;
        Require(await connection.Client.InvokeAsync<int>("Add", 1, 2) == 3, "the call after it");
    }

    public static async Task DyingServerAsync(RpcConnection connection)
    {
        Task call = connection.Client.InvokeWithCancellationAsync("WaitAsync", [], CancellationToken.None);
        await StartedAsync(call, connection.Target);
        connection.ServerStream.Abort();
        _ = await FailureAsync<ConnectionLostException>(call);
        await connection.Client.Completion;
    }

    /// <summary>Waits until the server is in the call, or says why it never got there.</summary>
    private static async Task StartedAsync(Task call, ServerTarget target)
    {
        if (await Task.WhenAny(call, target.Waiting.Task) == call)
        {
            await call;
            Require(false, "a call that waits had ended");
        }
    }

    private static async Task<T> FailureAsync<T>(Task call)
        where T : Exception
    {
        try
        {
            await call;
        }
        catch (T error)
        {
            return error;
        }

        throw new InvalidOperationException($"The call did not fail, and should have with {typeof(T).Name}.");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"Wrong: {what}.");
        }
    }
}
