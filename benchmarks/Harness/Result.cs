using System.Text.Json;
using System.Text.Json.Serialization;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>A line of the results; what was not measured is null.</summary>
internal sealed record Result
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required string Who { get; init; }

    public required string Variant { get; init; }

    public required string Os { get; init; }

    public required string Scenario { get; init; }

    public required int Size { get; init; }

    public required int Pipes { get; init; }

    public double? UsPerOp { get; init; }

    public double? CpuUsPerOp { get; init; }

    public double? MbPerS { get; init; }

    /// <summary>99 of 100 operations took no longer.</summary>
    public double? P99Us { get; init; }

    public double? CallsPerOp { get; init; }

    public double? BytesAllocatedPerOp { get; init; }

    /// <summary>async-allocations: by the whole process, in the whole timed part.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? BytesAllocated { get; init; }

    public double? BytesPerIdlePair { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Note { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, s_options);
}
