using System.IO.Pipes;
using System.Runtime.Versioning;
using System.Security.Principal;

namespace NamedPipeShim.Tests.Support;

/// <summary>System.IO.Pipes' end of a pipe, used by asynchronous or by synchronous calls alone.</summary>
internal sealed class TheirEnd : IDisposable
{
    private const int Chunk = 50_000;

    private readonly TheirCalls _calls;

    private TheirEnd(PipeStream stream, TheirCalls calls)
    {
        Stream = stream;
        _calls = calls;
    }

    public PipeStream Stream { get; }

    public static PipeDirection Opposite(PipeDirection direction) => direction switch
    {
        PipeDirection.In => PipeDirection.Out,
        PipeDirection.Out => PipeDirection.In,
        _ => PipeDirection.InOut,
    };

    public static PipeOptions Options(TheirCalls calls) =>
        calls == TheirCalls.Asynchronous ? PipeOptions.Asynchronous : PipeOptions.None;

    /// <summary>A client of a server of ours.</summary>
    public static Task<TheirEnd> ConnectAsync(string name, PipeDirection direction, TheirCalls calls) =>
        ConnectAsync(new NamedPipeClientStream(".", name, direction, Options(calls)), calls);

    public static async Task<TheirEnd> ConnectAsync(NamedPipeClientStream client, TheirCalls calls)
    {
        TheirEnd end = new(client, calls);
        await end.Do(() => client.ConnectAsync(), () => client.Connect((int)Deadline.Step.TotalMilliseconds)).InTime();
        return end;
    }

    /// <summary>A client of a server of ours that reads messages.</summary>
    [SupportedOSPlatform("windows")]
    public static async Task<TheirEnd> ConnectForMessagesAsync(string name, PipeDirection direction, TheirCalls calls)
    {
        // A client that only reads must ask for the right to change its read mode.
        TheirEnd client = direction == PipeDirection.In
            ? await ConnectAsync(
                new NamedPipeClientStream(
                    ".",
                    name,
                    PipeAccessRights.ReadData | PipeAccessRights.ReadAttributes | PipeAccessRights.WriteAttributes,
                    Options(calls),
                    TokenImpersonationLevel.None,
                    HandleInheritability.None),
                calls)
            : await ConnectAsync(name, direction, calls);
        if (direction != PipeDirection.Out)
        {
            client.Stream.ReadMode = PipeTransmissionMode.Message;
        }

        return client;
    }

    /// <summary>A server, and the task of waiting for its client. Without a buffer, on Windows, a write of theirs waits until we
    /// read.</summary>
    public static (TheirEnd End, Task Connected) Listen(
        string name,
        PipeDirection direction,
        TheirCalls calls,
        PipeTransmissionMode mode = PipeTransmissionMode.Byte,
        int bufferSize = 0)
    {
        NamedPipeServerStream server = new(name, direction, 1, mode, Options(calls), bufferSize, bufferSize);
        TheirEnd end = new(server, calls);
        return (end, end.Do(() => server.WaitForConnectionAsync(), server.WaitForConnection));
    }

    public async Task<byte[]> ReadExactlyAsync(int size)
    {
        byte[] bytes = new byte[size];
        await Do(() => Stream.ReadExactlyAsync(bytes).AsTask(), () => Stream.ReadExactly(bytes)).InTime();
        return bytes;
    }

    public async Task<byte[]> ReadToEndAsync()
    {
        using MemoryStream all = new();
        await Do(() => Stream.CopyToAsync(all), () => Stream.CopyTo(all)).InTime();
        return all.ToArray();
    }

    /// <summary>Reads messages, each to its end; the stream's read mode is Message.</summary>
    public async Task<byte[][]> ReadMessagesAsync(int count)
    {
        byte[][] messages = new byte[count][];
        byte[] buffer = new byte[Chunk];
        for (int i = 0; i < count; i++)
        {
            using MemoryStream message = new();
            int read = 0;
            do
            {
                await Do(async () => read = await Stream.ReadAsync(buffer), () => read = Stream.Read(buffer)).InTime();
                message.Write(buffer, 0, read);
            }
            while (!Stream.IsMessageComplete);
            messages[i] = message.ToArray();
        }

        return messages;
    }

    public Task WriteAsync(byte[] bytes) =>
        Do(() => Stream.WriteAsync(bytes).AsTask(), () => Stream.Write(bytes)).InTime();

    /// <summary>Writes until it is told that the peer has closed; anything else fails the test.</summary>
    public async Task WriteUntilBrokenAsync()
    {
        byte[] bytes = new byte[Chunk];
        for (Deadline deadline = Deadline.New(); ; deadline.Check("Their broken pipe"))
        {
            try
            {
                await WriteAsync(bytes);
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    public void Dispose() => Stream.Dispose();

    // What blocks does so on a thread that never exits.
    private Task Do(Func<Task> asynchronous, Action synchronous) =>
        _calls == TheirCalls.Asynchronous ? asynchronous() : Task.Run(TestThread.Start(synchronous).Join);
}
