// An echo server and its client, in one process and on one thread: nothing blocks here but the poller's Wait.
using System.Text;
using NamedPipeShim;

const nuint ServerToken = 1, ClientToken = 2;
string name = $"echo-{Environment.ProcessId}";
Memory<byte> question = Encoding.UTF8.GetBytes("Hello through a named pipe!"), echo = default;
byte[] answer = new byte[question.Length], buffer = new byte[256];
int received = 0;

using var poller = new NamedPipePoller();

// A server instance. TryConnect begins to wait for a client; an event says when there is one.
using NamedPipe server = NamedPipe.CreateServer(name);
server.Register(poller, ServerToken, PipeInterest.Both);
server.TryConnect();

// A client is connected once it is open. Its first event comes at once: it can be written.
using NamedPipe client = NamedPipe.OpenClient(name);
client.Register(poller, ClientToken, PipeInterest.Both);

var events = new PipeEvent[8];
while (received < answer.Length)
{
    // Sleeps until at least one pipe is ready; the tokens chosen above say which.
    int count = poller.Wait(events, Timeout.InfiniteTimeSpan);
    foreach (PipeEvent ready in events.AsSpan(0, count))
    {
        // Events are edges: go on until a call answers other than Ok. An event comes when it is worth trying again.
        if (ready.Token == ServerToken && server.TryConnect() == PipeStatus.Ok)
        {
            Write(server, ref echo);
            while (echo.IsEmpty && server.TryRead(buffer, out int read) == PipeStatus.Ok)
            {
                echo = buffer.AsMemory(0, read);
                Write(server, ref echo);
            }
        }
        else if (ready.Token == ClientToken)
        {
            Write(client, ref question);
            while (received < answer.Length && client.TryRead(answer.AsSpan(received), out int read) == PipeStatus.Ok)
            {
                received += read;
            }
        }
    }
}

Console.WriteLine($"The server sent back: {Encoding.UTF8.GetString(answer)}");

// A pipe may take less than it is offered; what is left in `bytes` is for the next event.
static void Write(NamedPipe pipe, ref Memory<byte> bytes)
{
    while (!bytes.IsEmpty && pipe.TryWrite(bytes.Span, out int written) == PipeStatus.Ok)
    {
        bytes = bytes[written..];
    }
}
