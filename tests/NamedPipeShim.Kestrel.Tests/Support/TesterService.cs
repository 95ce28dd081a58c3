using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using NamedPipeShim.Kestrel.Tests.Calls;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>The server's side of the calls, and what became of those that do not end by themselves.</summary>
internal sealed class TesterService : Tester.TesterBase
{
    /// <summary>The request header in which a client says how many bytes it wants back.</summary>
    public const string BytesHeader = "want-bytes";

    /// <summary>The trailer in which the server says how many bytes it had.</summary>
    public const string ReceivedTrailer = "received";

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A call without end has come.</summary>
    public Task Started => _started.Task;

    /// <summary>A call without end has ended, because of its client or of the server: the token or the stream told it.</summary>
    public Task Ended => _ended.Task;

    public override Task<Echoed> Echo(Chunk request, ServerCallContext context)
    {
        Chunks.Verify(request, request.Seed);
        HttpContext http = context.GetHttpContext();
        PeerIdentity peer = http.Features.Get<INamedPipeStreamFeature>()!.Pipe.GetPeer();
        return Task.FromResult(new Echoed
        {
            Chunk = request,
            Connection = http.Connection.Id,
            Peer = $"{peer.ProcessId} {peer.UserId}",
        });
    }

    public override async Task<Received> Upload(IAsyncStreamReader<Chunk> requestStream, ServerCallContext context) => new()
    {
        Bytes = await Chunks.VerifyAsync(requestStream, seed: 1, context.CancellationToken),
    };

    public override Task Download(Order request, IServerStreamWriter<Chunk> responseStream, ServerCallContext context) =>
        UntilItIsEnded(() => Chunks.SendAsync(responseStream, request.Seed, request.Bytes, context.CancellationToken));

    public override async Task Exchange(
        IAsyncStreamReader<Chunk> requestStream, IServerStreamWriter<Chunk> responseStream, ServerCallContext context)
    {
        long wanted = long.Parse(context.RequestHeaders.GetValue(BytesHeader)!, CultureInfo.InvariantCulture);
        Task<long> receiving = Chunks.VerifyAsync(requestStream, seed: 1, context.CancellationToken);
        await Chunks.SendAsync(responseStream, seed: 2, wanted, context.CancellationToken);
        context.ResponseTrailers.Add(ReceivedTrailer, $"{await receiving}");
    }

    public override Task Talk(
        IAsyncStreamReader<Chunk> requestStream, IServerStreamWriter<Chunk> responseStream, ServerCallContext context) =>
        UntilItIsEnded(async () =>
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                Chunk chunk = requestStream.Current;
                Chunks.Verify(chunk, chunk.Seed);
                await responseStream.WriteAsync(Chunks.Of(chunk.Data.Length, chunk.Seed + 1), context.CancellationToken);
            }
        });

    public override async Task<Received> Wait(Order request, ServerCallContext context)
    {
        await UntilItIsEnded(() => Task.Delay(Timeout.Infinite, context.CancellationToken));
        return new Received();
    }

    public override Task<Received> Fail(Failure request, ServerCallContext context)
    {
        if (request.Status == 0)
        {
            throw new InvalidOperationException(request.Detail);
        }

        throw new RpcException(new Status((StatusCode)request.Status, request.Detail), new Metadata { { "reason", "because" } });
    }

    private async Task UntilItIsEnded(Func<Task> call)
    {
        _started.TrySetResult();
        try
        {
            await call();
        }
        catch
        {
            _ended.TrySetResult();
            throw;
        }
    }
}
