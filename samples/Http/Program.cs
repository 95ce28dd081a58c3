// HTTP over a named pipe: a server and its client in one program, which checks the answer.
using Microsoft.AspNetCore.Connections;
using NamedPipeShim;
using NamedPipeShim.Kestrel;

string name = $"http-{Environment.ProcessId}";

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseNamedPipeShim();
builder.WebHost.ConfigureKestrel(server => server.Listen(new NamedPipeEndPoint(name)));

WebApplication app = builder.Build();
app.MapGet("/", () => "Hello through a named pipe!");
await app.StartAsync();

using HttpClient client = new(new SocketsHttpHandler
{
    ConnectCallback = async (_, token) => await NamedPipeStream.ConnectAsync(name, token),
});
string answer = await client.GetStringAsync(new Uri("http://pipe/"));

Console.WriteLine(answer);
await app.StopAsync();
return answer == "Hello through a named pipe!" ? 0 : 1;
