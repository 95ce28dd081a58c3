using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace NamedPipeShim.Kestrel;

/// <summary>
/// One client: two pipelines between its stream and the application, and the two flows that fill and drain them.
/// </summary>
/// <remarks>
/// The flows end by themselves: the receiving one at the end of the stream, the sending one when the application has completed its
/// output; then the sending one gives the client a moment to close first, and closes the stream, which ends the receiving one.
/// What comes when the application reads no more is dropped. An abort closes the stream at once, and both end. The
/// application's side is told by the end of its input and by <see cref="BaseConnectionContext.ConnectionClosed"/>.
/// </remarks>
internal sealed class PipeConnection : DefaultConnectionContext, IMemoryPoolFeature, INamedPipeStreamFeature
{
    private const int ReceiveSize = 4_096;

    private static long s_lastId;

    private readonly NamedPipeStream _stream;
    private readonly ILogger _log;
    private readonly PipeReader _output;
    private readonly PipeWriter _input;
    private readonly DuplexPipe _transport; // what Transport was at first: a middleware may put another in its place
    private readonly CancellationTokenSource _closed = new();
    private readonly TimeSpan _closeDelay;
    private readonly bool _waitForData;
    private readonly TaskCompletionSource _inputEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closedIsTold = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ConnectionAbortedException? _abortedBy;
    private Task _receiving = Task.CompletedTask;
    private Task _sending = Task.CompletedTask;

    public PipeConnection(
        NamedPipeStream stream,
        EndPoint endPoint,
        MemoryPool<byte> memory,
        PipeOptions inputOptions,
        PipeOptions outputOptions,
        NamedPipeShimTransportOptions options,
        ILogger log)
        : base(NewId())
    {
        _stream = stream;
        _log = log;
        _closeDelay = options.CloseDelay;
        _waitForData = options.WaitForDataBeforeAllocatingBuffer;
        Pipe input = new(inputOptions);
        Pipe output = new(outputOptions);
        _input = input.Writer;
        _output = output.Reader;
        Transport = _transport = new DuplexPipe(input.Reader, output.Writer);
        Application = new DuplexPipe(output.Reader, input.Writer);
        LocalEndPoint = endPoint;
        ConnectionClosed = _closed.Token;
        MemoryPool = memory;
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set<INamedPipeStreamFeature>(this);
    }

    public MemoryPool<byte> MemoryPool { get; }

    public NamedPipe Pipe => _stream.Pipe;

    public void Start()
    {
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    public override void Abort(ConnectionAbortedException? abortReason)
    {
        abortReason ??= new ConnectionAbortedException(); // Kestrel gives none when the client has closed
        if (Interlocked.CompareExchange(ref _abortedBy, abortReason, null) is null)
        {
            Log.Aborted(_log, ConnectionId, abortReason.Message);
        }

        _stream.Abort(); // both flows fail
        _output.CancelPendingRead(); // ... unless one waits for the application
        _input.CancelPendingFlush();
    }

    public override async ValueTask DisposeAsync()
    {
        // The server has done so, unless it failed: without it the flows would wait for ever.
        await _transport.Input.CompleteAsync().ConfigureAwait(false);
        await _transport.Output.CompleteAsync().ConfigureAwait(false);
        await _receiving.ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        _closed.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private static string NewId() => $"nps-{Interlocked.Increment(ref s_lastId)}";

    private async Task ReceiveAsync()
    {
        Exception? error = null;
        try
        {
            while (true)
            {
                if (_waitForData)
                {
                    _ = await _stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                }

                int count = await _stream.ReadAsync(_input.GetMemory(ReceiveSize)).ConfigureAwait(false);
                if (count == 0)
                {
                    Log.ClientClosed(_log, ConnectionId);
                    break;
                }

                _input.Advance(count);
                FlushResult flushed = await _input.FlushAsync().ConfigureAwait(false);
                if (flushed.IsCanceled)
                {
                    error = Volatile.Read(ref _abortedBy); // null: the sending flow has ended
                    break;
                }
            }
        }
        catch (Exception failure)
        {
            error = Translate(failure);
        }

        await _input.CompleteAsync(error).ConfigureAwait(false);
        _inputEnded.SetResult();
        TellClosed();
        await _closedIsTold.Task.ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        Exception? error = null;
        try
        {
            while (true)
            {
                ReadResult read = await _output.ReadAsync().ConfigureAwait(false);
                if (read.IsCanceled)
                {
                    break;
                }

                await _stream.WriteAsync(read.Buffer).ConfigureAwait(false);
                _output.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    await LetTheClientCloseAsync().ConfigureAwait(false);
                    break;
                }
            }
        }
        catch (Exception failure)
        {
            error = Translate(failure);
        }

        // What was sent arrives all the same; the receiving flow's read fails, or its flush is let go.
        await _stream.DisposeAsync().ConfigureAwait(false);
        await _output.CompleteAsync(error is ConnectionAbortedException or ConnectionResetException ? null : error)
            .ConfigureAwait(false); // the application's flush tells of an end, not of its reason
        _input.CancelPendingFlush();
    }

    private async Task LetTheClientCloseAsync()
    {
        try
        {
            await _inputEnded.Task.WaitAsync(_closeDelay).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Then it is the one who is told.
        }
    }

    // What the application is told. Null: an end that is in order.
    private Exception? Translate(Exception failure)
    {
        if (failure is ObjectDisposedException)
        {
            return Volatile.Read(ref _abortedBy); // closed here
        }

        Log.Broke(_log, ConnectionId, failure.Message);
        return failure is IOException ? new ConnectionResetException(failure.Message, failure) : failure;
    }

    // Its callbacks are the application's: on the thread pool, never under a flow.
    private void TellClosed() => ThreadPool.UnsafeQueueUserWorkItem(
        static connection =>
        {
            try
            {
                connection._closed.Cancel();
            }
            catch (AggregateException error)
            {
                Log.CallbackFailed(connection._log, connection.ConnectionId, error);
            }
            finally
            {
                connection._closedIsTold.SetResult();
            }
        },
        this,
        preferLocal: false);
}
