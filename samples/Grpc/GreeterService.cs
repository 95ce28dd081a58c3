using Greeting;
using Grpc.Core;
using NamedPipeShim;
using NamedPipeShim.Kestrel;

/// <summary>The server's side of greeter.proto. It knows who calls, without any certificate or token.</summary>
internal sealed class GreeterService : Greeter.GreeterBase
{
    public override Task<Answer> Greet(Person request, ServerCallContext context)
    {
        NamedPipe pipe = context.GetHttpContext().Features.Get<INamedPipeStreamFeature>()!.Pipe;
        PeerIdentity client = pipe.GetPeer();
        return Task.FromResult(new Answer { Text = $"Hello {request.Name}, process {client.ProcessId} of user {client.UserName}!" });
    }
}
