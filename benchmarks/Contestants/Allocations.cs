using System.Globalization;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// <c>benchmarks allocations</c>: 1,000,000 operations over the C# API and the bytes that the whole process allocated
/// on the managed heap meanwhile. One operation is a wait, a read and a write: a ping-pong round trip is two.
/// </summary>
internal static class Allocations
{
    private const long Operations = 1_000_000;
    private const long Limit = 1_000_000;

    public static int Run()
    {
        using var contestant = new OursContestant();
        var play = new Play(Play.OneThread, Scenario.Pingpong, 64, 1, 20_000, Operations / 2);
        Measure measure = contestant.Run(play);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $$"""
            {"who":"{{OursContestant.Who}}","scenario":"allocations","operations":{{Operations}},
             "bytes_allocated":{{measure.AllocatedBytes}}}
            """).ReplaceLineEndings(""));
        return measure.AllocatedBytes < Limit ? 0 : 1;
    }
}
