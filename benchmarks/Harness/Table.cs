using System.Globalization;
using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>The results for people: a block for each case, each row beside its base: the floor, if it comes first; or the first
/// row that was played in the same way, and a floor that comes last beside the first row of all.</summary>
internal static class Table
{
    public static void Print(IReadOnlyList<Result> results)
    {
        Result first = results[0];
        Scenario scenario = ScenarioExtensions.Parse(first.Scenario)!.Value;
        Console.WriteLine();
        string what = scenario.IsIdle()
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" {first.Size} B × {first.Pipes}");
        Console.WriteLine($"{first.Scenario}{what}, {first.Os}");
        if (scenario.IsIdle())
        {
            PrintIdle(results);
            return;
        }

        string than = first.Who == Contender.Floor ? "× floor" : "× first";
        string last = scenario.IsAsync() ? "p99 µs" : "";
        Console.WriteLine($"  {"who",-38}{"µs/op",10}{than,9}{"CPU µs/op",11}{than,9}"
            + $"{"MB/s",9}{"calls/op",10}{"alloc B/op",12}{last,11}");
        foreach (Result result in results)
        {
            Result beside = result.Who == Contender.Floor || first.Who == Contender.Floor
                ? first
                : results.First(other => other.Variant == result.Variant);
            Console.WriteLine($"  {Who(result),-38}"
                + $"{Number(result.UsPerOp, 2),10}{Number(result.UsPerOp / beside.UsPerOp, 2),9}"
                + $"{Number(result.CpuUsPerOp, 2),11}{Number(result.CpuUsPerOp / beside.CpuUsPerOp, 2),9}"
                + $"{Number(result.MbPerS, 0),9}{Number(result.CallsPerOp, 2),10}"
                + $"{Number(result.BytesAllocatedPerOp, 1),12}{(last.Length > 0 ? Number(result.P99Us, 1) : ""),11}"
                + (result.BytesAllocated is { } bytes
                    ? string.Create(CultureInfo.InvariantCulture, $"  {bytes} bytes allocated in all")
                    : "")
                + $"  {result.Note}");
        }
    }

    private static void PrintIdle(IReadOnlyList<Result> results)
    {
        Result first = results[0];
        string than = first.Who == Contender.Floor ? "above floor" : "× first";
        Console.WriteLine($"  {"who",-38}{"bytes/pair",12}{"bytes/end",12}{than,13}");
        foreach (Result result in results)
        {
            string beside = first.Who == Contender.Floor
                ? Number(result.BytesPerIdlePair - first.BytesPerIdlePair, 0)
                : Number(result.BytesPerIdlePair / first.BytesPerIdlePair, 2);
            Console.WriteLine($"  {Who(result),-38}{Number(result.BytesPerIdlePair, 0),12}"
                + $"{Number(result.BytesPerIdlePair / 2, 0),12}{beside,13}  {result.Note}");
        }
    }

    private static string Who(Result result) => $"{result.Who}, {result.Variant}";

    private static string Number(double? value, int digits) =>
        value?.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) ?? "-";
}
