using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>A pool, and its own factory, that knows how many of its buffers are in use.</summary>
internal sealed class CountingMemoryPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockSize = 4_096;

    private int _rented;

    public int Rented => Volatile.Read(ref _rented);

    public override int MaxBufferSize => BlockSize;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        Interlocked.Increment(ref _rented);
        return new Block(this);
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(CountingMemoryPool pool) : IMemoryOwner<byte>
    {
        private int _returned;

        public Memory<byte> Memory { get; } = new byte[BlockSize];

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
            {
                Interlocked.Decrement(ref pool._rented);
            }
        }
    }
}
