// gRPC over a named pipe: a server and its client in one program, which checks the answer.
using Greeting;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using NamedPipeShim;
using NamedPipeShim.Kestrel;

string name = $"grpc-{Environment.ProcessId}";

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddGrpc();
builder.WebHost.UseNamedPipeShim();
builder.WebHost.ConfigureKestrel(server =>
    server.ListenNamedPipe(name, listen => listen.Protocols = HttpProtocols.Http2));

WebApplication app = builder.Build();
app.MapGrpcService<GreeterService>();
await app.StartAsync();

using GrpcChannel channel = GrpcChannel.ForAddress("http://pipe", new GrpcChannelOptions
{
    HttpHandler = new SocketsHttpHandler
    {
        ConnectCallback = async (_, token) => await NamedPipeStream.ConnectAsync(name, token),
    },
});
Answer answer = await new Greeter.GreeterClient(channel).GreetAsync(new Person { Name = "pipe" });

Console.WriteLine(answer.Text);
await app.StopAsync();
return answer.Text.StartsWith($"Hello pipe, process {Environment.ProcessId} of user ", StringComparison.Ordinal) ? 0 : 1;
