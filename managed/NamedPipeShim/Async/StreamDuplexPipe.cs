using System.IO.Pipelines;

namespace NamedPipeShim.Async;

/// <summary>A stream as a pair of a reader and a writer, and its owner if it was asked to be.</summary>
internal sealed class StreamDuplexPipe : IDuplexPipe
{
    private readonly NamedPipeStream _stream;
    private readonly bool _leaveOpen;
    private int _open = 2; // of Input and Output

    public StreamDuplexPipe(NamedPipeStream stream, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;

        // Each completes its own half, which is what it takes for its stream.
        Input = PipeReader.Create(new Half(this), new StreamPipeReaderOptions(useZeroByteReads: true));
        Output = PipeWriter.Create(new Half(this));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    private bool IsLast() => Interlocked.Decrement(ref _open) == 0 && !_leaveOpen;

    /// <summary>The stream as one of the two sees it: its dispose is that one's completion.</summary>
    private sealed class Half(StreamDuplexPipe owner) : Stream
    {
        private int _completed;

        public override bool CanRead => owner._stream.CanRead;

        public override bool CanWrite => owner._stream.CanWrite;

        public override bool CanSeek => false;

        public override long Length => owner._stream.Length;

        public override long Position
        {
            get => owner._stream.Position;
            set => owner._stream.Position = value;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            owner._stream.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            owner._stream.ReadAsync(buffer, offset, count, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => owner._stream.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => owner._stream.Read(buffer);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            owner._stream.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            owner._stream.WriteAsync(buffer, offset, count, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => owner._stream.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => owner._stream.Write(buffer);

        public override Task FlushAsync(CancellationToken cancellationToken) => owner._stream.FlushAsync(cancellationToken);

        public override void Flush() => owner._stream.Flush();

        public override long Seek(long offset, SeekOrigin origin) => owner._stream.Seek(offset, origin);

        public override void SetLength(long value) => owner._stream.SetLength(value);

        public override async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _completed, 1) == 0 && owner.IsLast())
            {
                await owner._stream.DisposeAsync().ConfigureAwait(false);
            }

            await base.DisposeAsync().ConfigureAwait(false);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && Interlocked.Exchange(ref _completed, 1) == 0 && owner.IsLast())
            {
                owner._stream.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
