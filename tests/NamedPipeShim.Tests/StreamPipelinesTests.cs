using System.Buffers;
using System.IO.Pipelines;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>The view of System.IO.Pipelines: what it carries, who owns the stream, and that it holds nothing while it waits.</summary>
public class StreamPipelinesTests
{
    [Test]
    public async Task Bytes_GoBothWays()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        IDuplexPipe server = pair.Server.AsDuplexPipe();
        IDuplexPipe client = pair.Client.AsDuplexPipe();
        byte[] bytes = Pattern.Of(1 << 20);
        Task[] ways =
        [
            WriteAsync(server.Output, bytes),
            WriteAsync(client.Output, bytes),
            ReadAsync(server.Input, bytes),
            ReadAsync(client.Input, bytes),
        ];
        await Task.WhenAll(ways).InTime();
    }

    [Test]
    public async Task TheView_OwnsTheStream_UnlessAskedToLeaveItOpen([Values] bool leaveOpen, [Values] bool asynchronous)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        IDuplexPipe view = pair.Server.AsDuplexPipe(leaveOpen);
        await CompleteAsync(view.Output, asynchronous);
        Assert.That(pair.Server.CanRead, Is.True, "the other half is at work");
        await pair.Client.WriteAsync(new byte[] { 1 }).InTime();
        ReadResult read = await view.Input.ReadAsync().InTime();
        Assert.That(read.Buffer.Length, Is.EqualTo(1));
        view.Input.AdvanceTo(read.Buffer.End);
        if (asynchronous)
        {
            await view.Input.CompleteAsync().InTime();
            await view.Input.CompleteAsync().InTime();
        }
        else
        {
            view.Input.Complete();
            view.Input.Complete();
        }

        Assert.That(pair.Server.CanRead, Is.EqualTo(leaveOpen));
        if (!leaveOpen)
        {
            Assert.That(await pair.Client.ReadAsync(new byte[1]).InTime(), Is.Zero);
        }
    }

    [Test]
    public async Task Input_EndsWithThePeer_AndIsCancelled()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        IDuplexPipe view = pair.Server.AsDuplexPipe();
        Task<ReadResult> reading = view.Input.ReadAsync().AsTask();
        view.Input.CancelPendingRead();
        Assert.That((await reading.InTime()).IsCanceled, Is.True);
        reading = view.Input.ReadAsync().AsTask();
        Assert.That(reading.IsCompleted, Is.False);
        await pair.Client.WriteAsync(new byte[] { 1, 2 }).InTime();
        await pair.Client.DisposeAsync().InTime();
        long seen = 0;
        while (true)
        {
            ReadResult result = await reading.InTime();
            seen += result.Buffer.Length;
            view.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                break;
            }

            reading = view.Input.ReadAsync().AsTask();
        }

        Assert.That(seen, Is.EqualTo(2));
    }

    [Test]
    public async Task Waiting_HoldsNoBuffer()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using CountingPool pool = new();
        PipeReader reader = PipeReader.Create(
            pair.Server, new StreamPipeReaderOptions(pool, leaveOpen: true, useZeroByteReads: true));
        for (int round = 0; round < 3; round++)
        {
            Task<ReadResult> reading = reader.ReadAsync().AsTask();
            Assert.That(reading.IsCompleted, Is.False);
            Assert.That(pool.Rented, Is.Zero);
            await pair.Client.WriteAsync(new byte[100]).InTime();
            ReadResult result = await reading.InTime();
            Assert.That(result.Buffer.Length, Is.EqualTo(100));
            Assert.That(pool.Rented, Is.EqualTo(1));
            reader.AdvanceTo(result.Buffer.End);
        }

        await reader.CompleteAsync();
    }

    private static async Task CompleteAsync(PipeWriter writer, bool asynchronous)
    {
        if (asynchronous)
        {
            await writer.CompleteAsync();
        }
        else
        {
            writer.Complete();
        }
    }

    private static async Task WriteAsync(PipeWriter writer, byte[] bytes)
    {
        for (int at = 0; at < bytes.Length;)
        {
            int count = Math.Min(10_000, bytes.Length - at);
            bytes.AsSpan(at, count).CopyTo(writer.GetSpan(count));
            writer.Advance(count);
            at += count;
            await writer.FlushAsync();
        }
    }

    private static async Task ReadAsync(PipeReader reader, byte[] expected)
    {
        ReadResult result = await reader.ReadAtLeastAsync(expected.Length);
        Assert.That(result.Buffer.ToArray().AsSpan().SequenceEqual(expected), Is.True);
        reader.AdvanceTo(result.Buffer.End);
    }

    private sealed class CountingPool : MemoryPool<byte>
    {
        private int _rented;

        public int Rented => _rented;

        public override int MaxBufferSize => Shared.MaxBufferSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            Interlocked.Increment(ref _rented);
            return new Owner(this, Shared.Rent(minBufferSize));
        }

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Owner(CountingPool pool, IMemoryOwner<byte> inner) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory => inner.Memory;

            public void Dispose()
            {
                inner.Dispose();
                Interlocked.Decrement(ref pool._rented);
            }
        }
    }
}
