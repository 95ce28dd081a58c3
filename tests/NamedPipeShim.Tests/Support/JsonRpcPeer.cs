using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NamedPipeShim.Tests.Support;

/// <summary>
/// One end of JSON-RPC 2.0 as language servers speak it: a Content-Length header before each message. Either end calls the other;
/// calls run at the same time, notifications one after another.
/// </summary>
internal sealed class JsonRpcPeer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _calls = new();
    private readonly ConcurrentDictionary<int, CancellationTokenSource> _served = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly Func<string, JsonNode?, CancellationToken, Task<JsonNode?>> _serve;
    private readonly Task _reading;
    private int _lastId;
    private volatile Exception? _end;

    /// <param name="input">What the other end says.</param>
    /// <param name="output">What this end says.</param>
    /// <param name="serve">Carries out a method with its parameters. The token: the caller has cancelled.</param>
    public JsonRpcPeer(PipeReader input, PipeWriter output, Func<string, JsonNode?, CancellationToken, Task<JsonNode?>> serve)
    {
        _input = input;
        _output = output;
        _serve = serve;
        _reading = Task.Run(ReadAllAsync);
    }

    public async Task<JsonNode?> CallAsync(string method, JsonNode? parameters = null, CancellationToken cancellationToken = default)
    {
        int id = Interlocked.Increment(ref _lastId);
        TaskCompletionSource<JsonNode?> call = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = call;
        if (_end is { } end)
        {
            call.TrySetException(end); // which may have come before this call was listed
        }

        await SendAsync(new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters });
        await using (cancellationToken.Register(() => _ = NotifyAsync("$/cancelRequest", id)))
        {
            return await call.Task;
        }
    }

    public Task NotifyAsync(string method, JsonNode? parameters) =>
        SendAsync(new JsonObject { ["method"] = method, ["params"] = parameters });

    public async ValueTask DisposeAsync()
    {
        _input.CancelPendingRead();
        await _reading;
        await _writing.WaitAsync();
        await _input.CompleteAsync();
        await _output.CompleteAsync();
    }

    private async Task SendAsync(JsonObject message)
    {
        message["jsonrpc"] = "2.0";
        byte[] body = Encoding.UTF8.GetBytes(message.ToJsonString());
        await _writing.WaitAsync();
        try
        {
            _output.Write(Encoding.ASCII.GetBytes($"Content-Length: {body.Length}\r\n\r\n"));
            _output.Write(body);
            await _output.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAllAsync()
    {
        Exception end = new EndOfStreamException("The other end of the JSON-RPC connection is gone.");
        try
        {
            while (await ReadMessageAsync() is { } message)
            {
                await DispatchAsync(message);
            }
        }
        catch (Exception error)
        {
            end = error;
        }

        _end = end;
        foreach (TaskCompletionSource<JsonNode?> call in _calls.Values)
        {
            call.TrySetException(end);
        }

        foreach (CancellationTokenSource served in _served.Values)
        {
            served.Cancel();
        }
    }

    private async Task<JsonNode?> ReadMessageAsync()
    {
        while (true)
        {
            ReadResult read = await _input.ReadAsync();
            SequenceReader<byte> reader = new(read.Buffer);
            if (TryReadMessage(ref reader, out JsonNode? message))
            {
                _input.AdvanceTo(reader.Position);
                return message;
            }

            _input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted && !read.Buffer.IsEmpty)
            {
                throw new InvalidDataException("The stream ended within a message.");
            }

            if (read.IsCompleted || read.IsCanceled)
            {
                return null;
            }
        }
    }

    private static bool TryReadMessage(ref SequenceReader<byte> reader, out JsonNode? message)
    {
        message = null;
        if (!reader.TryReadTo(out ReadOnlySequence<byte> header, "\r\n\r\n"u8))
        {
            return false;
        }

        string text = Encoding.ASCII.GetString(header);
        if (!text.StartsWith("Content-Length: ", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"Not a header: {text}");
        }

        int length = int.Parse(text.AsSpan("Content-Length: ".Length), null);
        if (!reader.TryReadExact(length, out ReadOnlySequence<byte> body))
        {
            return false;
        }

        Utf8JsonReader json = new(body);
        message = JsonNode.Parse(ref json);
        return true;
    }

    private async Task DispatchAsync(JsonNode message)
    {
        int? id = (int?)message["id"];
        string? method = (string?)message["method"];
        if (method == "$/cancelRequest")
        {
            if (_served.TryGetValue((int)message["params"]!, out CancellationTokenSource? served))
            {
                served.Cancel();
            }
        }
        else if (method is null)
        {
            Answered(_calls.TryRemove(id!.Value, out TaskCompletionSource<JsonNode?>? call) ? call : null, message);
        }
        else if (id is null)
        {
            await _serve(method, message["params"], CancellationToken.None);
        }
        else
        {
            CancellationTokenSource source = new();
            _served[id.Value] = source;
            _ = Task.Run(() => ServeAsync(id.Value, method, message["params"], source.Token));
        }
    }

    private static void Answered(TaskCompletionSource<JsonNode?>? call, JsonNode message)
    {
        if (call is null)
        {
            throw new InvalidDataException($"An answer that nobody waits for: {message.ToJsonString()}");
        }

        if (message["error"] is { } error)
        {
            call.SetException(new JsonRpcException((string)error["message"]!));
        }
        else
        {
            call.SetResult(message["result"]);
        }
    }

    private async Task ServeAsync(int id, string method, JsonNode? parameters, CancellationToken cancelled)
    {
        JsonObject answer = new() { ["id"] = id };
        try
        {
            answer["result"] = await _serve(method, parameters, cancelled);
        }
        catch (Exception error)
        {
            answer["error"] = new JsonObject { ["code"] = -32_000, ["message"] = error.Message };
        }

        _served.TryRemove(id, out _);
        if (_end is null)
        {
            await SendAsync(answer);
        }
    }
}
