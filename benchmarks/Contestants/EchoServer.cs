using System.Globalization;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// The other process of <c>two-processes</c>: for each line <c>NAME SIZE WARMUP OPS</c> it says <c>listening</c>, answers one
/// client's messages, and says what the timed part took: <c>NANOSECONDS ALLOCATED PROCESSOR_NANOSECONDS</c>.
/// </summary>
internal static class EchoServer
{
    public const string Argument = "--echo";

    private const int ReadCapacity = 131072;

    public static int Run(string who)
    {
        using StreamSource source = ChildLoop.SourceFor(who);
        while (Console.In.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            source.Listen(words[0]);
            Task<Stream> accepting = source.AcceptAsync();
            Say("listening");
            Measure measure = ServeAsync(accepting, words).GetAwaiter().GetResult();
            Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{measure.Nanoseconds} {measure.AllocatedBytes} {measure.ProcessorNanoseconds}"));
        }

        return 0;
    }

    private static void Say(string text)
    {
        Console.Out.WriteLine(text);
        Console.Out.Flush();
    }

    private static async Task<Measure> ServeAsync(Task<Stream> accepting, string[] words)
    {
        using CancellationTokenSource cancellation = new();
        Stream stream = await accepting.ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var payload = new Payload(int.Parse(words[1], CultureInfo.InvariantCulture));
            var server = new StreamEnd(stream, payload, ReadCapacity, cancellation.Token);
            await StreamPlay.EchoAsync(server, Number(words[2])).ConfigureAwait(false);
            Measure.Start start = Measure.Start.Now();
            await StreamPlay.EchoAsync(server, Number(words[3])).ConfigureAwait(false);
            return start.End();
        }
    }

    private static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);
}
