namespace NamedPipeShim.Samples.Guide;

/// <summary>Who is at the other end.</summary>
internal static class Peers
{
    public static async Task RunAsync()
    {
        string name = Names.New("peers");
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        await using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name);
        await using NamedPipeStream server = await listener.AcceptAsync();

        await client.WriteAsync(new byte[1]);
        Check.That(await server.ReadAsync(new byte[1]) == 1, "something was read: Windows knows the client's user only then");
        PeerIdentity peer = server.Peer;
        Check.That(peer.ProcessId == Environment.ProcessId, "this program is the client");
        Check.That(peer.UserId is not null, "a user id on Linux, a SID on Windows");
    }
}
