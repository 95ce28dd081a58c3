using System.Collections.Concurrent;

namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>What was reported, in the order in which it came (which <see cref="Progress{T}"/> does not keep).</summary>
internal sealed class ProgressList : IProgress<int>
{
    public ConcurrentQueue<int> Reports { get; } = [];

    public void Report(int value) => Reports.Enqueue(value);
}
