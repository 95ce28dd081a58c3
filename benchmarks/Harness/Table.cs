using System.Globalization;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>The results for people: a block for each case, each row beside the case's first, the floor.</summary>
internal static class Table
{
    public static void Print(IReadOnlyList<Result> results)
    {
        Result first = results[0];
        Console.WriteLine();
        string what = first.Scenario == "idle"
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" {first.Size} B × {first.Pipes}");
        Console.WriteLine($"{first.Scenario}{what}, {first.Os}");
        if (first.Scenario == "idle")
        {
            Console.WriteLine($"  {"who",-30}{"bytes/pair",12}{"above floor",13}");
            foreach (Result result in results)
            {
                Console.WriteLine($"  {Who(result),-30}{Number(result.BytesPerIdlePair, 0),12}"
                    + $"{Number(result.BytesPerIdlePair - first.BytesPerIdlePair, 0),13}  {result.Note}");
            }

            return;
        }

        Console.WriteLine($"  {"who",-30}{"µs/op",10}{"× floor",9}{"CPU µs/op",11}{"× floor",9}"
            + $"{"MB/s",9}{"calls/op",10}{"alloc B/op",12}");
        foreach (Result result in results)
        {
            Console.WriteLine($"  {Who(result),-30}"
                + $"{Number(result.UsPerOp, 2),10}{Number(result.UsPerOp / first.UsPerOp, 2),9}"
                + $"{Number(result.CpuUsPerOp, 2),11}{Number(result.CpuUsPerOp / first.CpuUsPerOp, 2),9}"
                + $"{Number(result.MbPerS, 0),9}{Number(result.CallsPerOp, 2),10}"
                + $"{Number(result.BytesAllocatedPerOp, 1),12}  {result.Note}");
        }
    }

    private static string Who(Result result) => $"{result.Who}, {result.Variant}";

    private static string Number(double? value, int digits) =>
        value?.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) ?? "-";
}
