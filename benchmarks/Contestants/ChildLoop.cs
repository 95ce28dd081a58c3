using System.Globalization;
using System.Text;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// The managed child of the harness; the same lines as native/main.c: <c>run …</c> and <c>idle PAIRS</c>, each answered
/// by <c>= NANOSECONDS ALLOCATED PROCESSOR_NANOSECONDS P99_NANOSECONDS</c>, a failure by a line that begins with <c>!</c>.
/// </summary>
internal static class ChildLoop
{
    public static int Run(string who)
    {
        using IContestant contestant = who switch
        {
            OursContestant.Who => new OursContestant(),
            SystemIoPipesContestant.Who => new SystemIoPipesContestant(),
            _ => new AsyncContestant(who, SourceFor(who)),
        };

        // Not Console.Out: each answer is to be exactly one write, which marks the place in a system call trace.
        using Stream output = Console.OpenStandardOutput();
        while (Console.In.ReadLine() is { } line)
        {
            string answer;
            try
            {
                answer = Answer(contestant, line);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                answer = "! " + exception.ToString().ReplaceLineEndings(" | ");
            }

            output.Write(Encoding.UTF8.GetBytes(answer + "\n"));
            output.Flush();
            if (answer[0] == '!')
            {
                return 1;
            }
        }

        return 0;
    }

    public static StreamSource SourceFor(string who) => who switch
    {
        AsyncContestant.Ours => new OursSource(inlineLoops: 0),
        AsyncContestant.OursInline => new OursSource(inlineLoops: 1),
        AsyncContestant.OursInlineLoops => new OursSource(inlineLoops: 2),
        SystemIoPipesContestant.Who or SystemIoPipesContestant.WhoInline => new SystemIoPipesSource(),
        _ => throw new ArgumentException($"unknown contestant: {who}", nameof(who)),
    };

    private static string Answer(IContestant contestant, string line)
    {
        if (Play.Parse(line) is { } play)
        {
            Measure measure = contestant.Run(play);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"= {measure.Nanoseconds} {measure.AllocatedBytes} {measure.ProcessorNanoseconds} {measure.P99Nanoseconds}");
        }

        if (line.StartsWith("idle ", StringComparison.Ordinal) && int.TryParse(line.AsSpan(5), out int pairs))
        {
            contestant.HoldPairs(pairs);
            return "= 0 0 0";
        }

        return "! not a command: " + line;
    }
}
