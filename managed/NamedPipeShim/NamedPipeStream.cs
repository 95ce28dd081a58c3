using System.IO.Pipes;
using NamedPipeShim.Async;

namespace NamedPipeShim;

/// <summary>
/// A connected pipe as a <see cref="Stream"/>: reads, writes and connects that wait without a thread and can be cancelled.
/// </summary>
/// <remarks>
/// <para>
/// Both directions may be used at once, from any threads; operations of one direction are done in the order in which they were
/// begun. What completes at once completes synchronously; what waits is completed by the stream's
/// <see cref="NamedPipeEventLoop"/>, and its continuation runs on the thread pool (but for
/// <see cref="NamedPipeEventLoopOptions.UnsafeRunContinuationsInline"/>). Once warm, an operation allocates nothing.
/// </para>
/// <para>
/// A cancelled read loses no byte: the next read gets it. A cancelled write may have written a part.
/// </para>
/// </remarks>
public sealed partial class NamedPipeStream : Stream
{
    private readonly StreamClient _client;
    private int _readTimeout = Timeout.Infinite;
    private int _writeTimeout = Timeout.Infinite;

    /// <summary>Makes a stream of a connected pipe, which it owns from then on.</summary>
    /// <param name="pipe">A client end, a server's end that has a client, or a pipe made of a handle; not registered, or
    /// registered with the loop's own poller.</param>
    /// <param name="loop">The loop; null: <see cref="NamedPipeEventLoop.Default"/>.</param>
    /// <exception cref="InvalidOperationException">The pipe is registered with a poller of the program's.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or the loop was disposed.</exception>
    public NamedPipeStream(NamedPipe pipe, NamedPipeEventLoop? loop = null)
    {
        ArgumentNullException.ThrowIfNull(pipe);
        loop ??= NamedPipeEventLoop.Default;
        if (pipe.Poller is { } poller && !ReferenceEquals(poller, loop.Poller))
        {
            throw new InvalidOperationException("The pipe is registered with another poller.");
        }

        _client = new StreamClient(pipe, loop);
    }

    /// <summary>The pipe's name as it was given to create or open; null for a pipe made of a handle.</summary>
    public string? Name => _client.Pipe.Name;

    /// <summary>The loop that drives the stream.</summary>
    public NamedPipeEventLoop EventLoop => _client.Loop;

    /// <summary>The pipe underneath, for what a stream has no member for. Reading, writing, registering or closing it behind
    /// the stream's back breaks the stream. What a read into an empty buffer has found is the stream's, up to 4 KiB: the pipe's
    /// <see cref="NamedPipe.BytesAvailable"/> and <see cref="NamedPipe.TryPeek"/> do not show it.</summary>
    public NamedPipe Pipe => _client.Pipe;

    /// <summary>How this end reads: bytes, or messages.</summary>
    public PipeMode ReadMode => _client.Pipe.Mode;

    /// <summary>
    /// Whether the stream is open, and its peer has not closed nor said that it writes no more. The pipe is asked each time: so this is
    /// true to life but for a peer that has closed behind bytes which were not read yet (their end shows it), and, on an
    /// end that only writes, as soon as the system tells.
    /// </summary>
    public bool IsConnected => _client.IsOpen;

    /// <inheritdoc/>
    public override bool CanRead => IsOpenHere && (_client.Pipe.Direction & PipeDirection.In) != 0;

    /// <inheritdoc/>
    public override bool CanWrite =>
        IsOpenHere && !_client.Writer.HasCompleted && (_client.Pipe.Direction & PipeDirection.Out) != 0;

    /// <summary>False: a pipe has no position.</summary>
    public override bool CanSeek => false;

    /// <summary>True: <see cref="ReadTimeout"/> and <see cref="WriteTimeout"/> bound the synchronous calls.</summary>
    public override bool CanTimeout => true;

    /// <summary>How long a synchronous read waits, in milliseconds; default <see cref="Timeout.Infinite"/>. Asynchronous
    /// reads take a cancellation token.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public override int ReadTimeout
    {
        get => _readTimeout;
        set => _readTimeout = CheckTimeout(value);
    }

    /// <summary>How long a synchronous write waits, in milliseconds; default <see cref="Timeout.Infinite"/>. A write that
    /// timed out may have written a part.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public override int WriteTimeout
    {
        get => _writeTimeout;
        set => _writeTimeout = CheckTimeout(value);
    }

    /// <summary>Not supported: a pipe has no length.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => throw NoSeeking();

    /// <summary>Not supported: a pipe has no position.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Position
    {
        get => throw NoSeeking();
        set => throw NoSeeking();
    }

    private bool IsOpenHere => !_client.IsClosedHere;

    /// <summary>Not supported: a pipe has no position.</summary>
    /// <param name="offset">Not used.</param>
    /// <param name="origin">Not used.</param>
    /// <returns>Nothing.</returns>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Seek(long offset, SeekOrigin origin) => throw NoSeeking();

    /// <summary>Not supported: a pipe has no length.</summary>
    /// <param name="value">Not used.</param>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => throw NoSeeking();

    private static NotSupportedException NoSeeking() => new("A pipe cannot seek.");

    private static int CheckTimeout(int value) => value > 0 || value == Timeout.Infinite
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, "A time-out must be positive, or Timeout.Infinite.");
}
