using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// <c>async-allocations</c>: reads and writes that really wait. A read is begun while the pipe is empty; the peer's write is larger
/// than what the pipe holds, and so waits until it is read.
/// </summary>
internal static class WaitingTrial
{
    // On Windows the library and the peer's read, posted ahead, take a write off the writer's hands: only reads wait.
    private static readonly double s_leastShare = OperatingSystem.IsWindows() ? 0.45 : 0.9;

    public static async Task<Measure> RunAsync(Stream reader, Stream writer, Play play, CancellationToken token)
    {
        var payload = new Payload(play.Size);
        byte[] message = payload.NewMessage();
        byte[] buffer = new byte[play.Size];
        var done = new UnboxedAwait();
        (long operations, long waited) = (0, 0);
        ulong sequence = 0;
        await RunAsync(play.Warmup).ConfigureAwait(false);
        (operations, waited) = (0, 0);
        Measure.Start start = Measure.Start.Now();
        await RunAsync(play.Operations).ConfigureAwait(false);
        Measure measure = start.End();
        return waited >= s_leastShare * operations
            ? measure
            : throw new InvalidDataException($"only {waited} of {operations} reads and writes had to wait");

        async ValueTask RunAsync(long wanted)
        {
            while (operations < wanted)
            {
                ValueTask<int> read = reader.ReadAsync(buffer, token);
                waited += read.IsCompleted ? 0 : 1;
                Payload.Stamp(message, sequence);
                ValueTask write = writer.WriteAsync(message, token);
                waited += write.IsCompleted ? 0 : 1;
                operations += 2;
                int position = await done.On(read);
                payload.Check(buffer.AsSpan(0, position), 0, sequence);
                while (position < play.Size)
                {
                    read = reader.ReadAsync(buffer, token);
                    waited += read.IsCompleted ? 0 : 1;
                    operations++;
                    int count = await done.On(read);
                    payload.Check(buffer.AsSpan(0, count), position, sequence);
                    position += count;
                }

                await write.ConfigureAwait(false);
                sequence++;
            }
        }
    }
}
