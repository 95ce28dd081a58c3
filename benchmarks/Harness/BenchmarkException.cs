namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// A child failed, was too slow, or something that the benchmark needs is missing; the message says what.
/// </summary>
internal sealed class BenchmarkException(string message) : Exception(message);
