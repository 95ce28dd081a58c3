using System.Text;

namespace NamedPipeShim.Samples.Guide;

/// <summary>A server for any number of clients, and one client.</summary>
internal static class Echo
{
    public static async Task RunAsync()
    {
        string name = Names.New("echo");
        using CancellationTokenSource stop = new();
        Task serving = ServeAsync(name, stop.Token);
        string answer = await AskAsync(name, "Hello");
        Check.That(answer == "Hello", "the server sends back what it gets");
        await stop.CancelAsync();
        await serving.ContinueWith(static _ => { }, TaskScheduler.Default);
        Check.That(serving.IsCanceled, "a listener that waits is cancelled");
    }

    private static async Task ServeAsync(string name, CancellationToken stop)
    {
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        await foreach (NamedPipeStream client in listener.AcceptAllAsync(stop))
        {
            _ = EchoAsync(client, stop); // the next client need not wait for this one
        }
    }

    private static async Task EchoAsync(NamedPipeStream client, CancellationToken stop)
    {
        try
        {
            await using (client)
            {
                await client.CopyToAsync(client, stop);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The client has gone, or the server stops.
        }
    }

    private static async Task<string> AskAsync(string name, string question)
    {
        var options = new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromSeconds(5) };
        await using NamedPipeStream server = await NamedPipeStream.ConnectAsync(options);
        await server.WriteAsync(Encoding.UTF8.GetBytes(question));

        byte[] answer = new byte[Encoding.UTF8.GetByteCount(question)];
        await server.ReadExactlyAsync(answer);
        return Encoding.UTF8.GetString(answer);
    }
}
