using System.IO.Pipes;

namespace NamedPipeShim.Tests.Support;

/// <summary>A stream of ours and a System.IO.Pipes stream, connected, of opposite directions.</summary>
internal sealed class MixedPair : IDisposable
{
    private MixedPair(NamedPipeStream ours, TheirEnd theirs)
    {
        Ours = ours;
        Theirs = theirs;
    }

    public NamedPipeStream Ours { get; }

    public TheirEnd Theirs { get; }

    /// <param name="ourEnd">Which end is ours.</param>
    /// <param name="ours">The direction of our end.</param>
    /// <param name="theirCalls">How the other end is called.</param>
    /// <param name="mode">Bytes, or messages, which they have on Windows only.</param>
    /// <param name="theirBuffer">The buffer of their server; 0: none, as they have it by default.</param>
    public static async Task<MixedPair> ConnectAsync(
        OurEnd ourEnd, PipeDirection ours, TheirCalls theirCalls, PipeMode mode = PipeMode.Byte, int theirBuffer = 0)
    {
        string name = PipeNames.New();
        PipeDirection theirs = TheirEnd.Opposite(ours);
        if (ourEnd == OurEnd.Server)
        {
            using NamedPipeListener listener = NamedPipeListener.Listen(
                new NamedPipeServerOptions { Name = name, Direction = ours, Mode = mode });
            TheirEnd client = OperatingSystem.IsWindows() && mode == PipeMode.Message
                ? await TheirEnd.ConnectForMessagesAsync(name, theirs, theirCalls)
                : await TheirEnd.ConnectAsync(name, theirs, theirCalls);
            return new MixedPair(await listener.AcceptAsync().InTime(), client);
        }

        PipeTransmissionMode theirMode = OperatingSystem.IsWindows() && mode == PipeMode.Message
            ? PipeTransmissionMode.Message
            : PipeTransmissionMode.Byte;
        (TheirEnd server, Task connected) = TheirEnd.Listen(name, theirs, theirCalls, theirMode, theirBuffer);
        NamedPipeStream stream = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Direction = ours, Mode = mode, Timeout = Deadline.Step }).InTime();
        await connected.InTime();
        return new MixedPair(stream, server);
    }

    public void Dispose()
    {
        Theirs.Dispose();
        Ours.Dispose();
    }
}
