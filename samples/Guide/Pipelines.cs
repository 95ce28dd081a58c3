using System.Buffers;
using System.IO.Pipelines;

namespace NamedPipeShim.Samples.Guide;

/// <summary>System.IO.Pipelines over a named pipe.</summary>
internal static class Pipelines
{
    public static async Task RunAsync()
    {
        string name = Names.New("pipelines");
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        await using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name);
        await using NamedPipeStream server = await listener.AcceptAsync();

        await client.WriteAsync("first\nsecond\n"u8.ToArray());
        await client.DisposeAsync();

        int lines = 0;
        IDuplexPipe pipe = server.AsDuplexPipe();
        while (true)
        {
            ReadResult read = await pipe.Input.ReadAsync();
            ReadOnlySequence<byte> rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                lines++;
                rest = rest.Slice(rest.GetPosition(1, end));
            }

            pipe.Input.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
        Check.That(lines == 2, "both lines came");
    }
}
