using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace NamedPipeShim.Kestrel;

/// <summary>One bound name. Owns the listener and the pool of memory that its connections share.</summary>
internal sealed class PipeConnectionListener : IConnectionListener
{
    private readonly NamedPipeEndPoint _endPoint;
    private readonly NamedPipeListener _listener;
    private readonly MemoryPool<byte> _memory;
    private readonly PipeOptions _inputOptions;
    private readonly PipeOptions _outputOptions;
    private readonly NamedPipeShimTransportOptions _options;
    private readonly ILogger _log;

    public PipeConnectionListener(
        NamedPipeEndPoint endPoint,
        NamedPipeListener listener,
        NamedPipeShimTransportOptions options,
        MemoryPool<byte>? memory,
        ILogger log)
    {
        _endPoint = endPoint;
        _listener = listener;
        _memory = memory ?? MemoryPool<byte>.Shared;
        _options = options;
        _log = log;

        // The application runs on the thread pool. Its flush may write to the pipe at once: that never blocks.
        _inputOptions = new PipeOptions(
            _memory,
            readerScheduler: PipeScheduler.ThreadPool,
            writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: options.MaxReadBufferSize,
            resumeWriterThreshold: options.MaxReadBufferSize / 2,
            useSynchronizationContext: false);
        _outputOptions = new PipeOptions(
            _memory,
            readerScheduler: PipeScheduler.Inline,
            writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: options.MaxWriteBufferSize,
            resumeWriterThreshold: options.MaxWriteBufferSize / 2,
            useSynchronizationContext: false);
    }

    public EndPoint EndPoint => _endPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            NamedPipeStream stream = await _listener.AcceptAsync(cancellationToken).ConfigureAwait(false);
            PipeConnection connection = new(stream, _endPoint, _memory, _inputOptions, _outputOptions, _options, _log);
            Log.Accepted(_log, connection.ConnectionId, _endPoint.PipeName);
            connection.Start();
            return connection;
        }
        catch (ObjectDisposedException)
        {
            return null; // unbound, or the loop has ended: no client comes any more
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _listener.Stop();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _memory.Dispose(); // MemoryPool.Shared ignores it
        return default;
    }
}
