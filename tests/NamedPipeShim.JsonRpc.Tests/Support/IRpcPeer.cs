using PolyType;
using StreamJsonRpc;

namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>What each end may call at the other.</summary>
[JsonRpcContract]
[GenerateShape(IncludeMethods = MethodShapeFlags.PublicInstance)]
public partial interface IRpcPeer
{
    Task<int> AddAsync(int a, int b);

    /// <summary>Has the caller add, while it waits for this answer.</summary>
    Task<int> AddAtCallerAsync(int a, int b);

    /// <summary>Calls the caller back, which calls back, that many times, each call within the one before.</summary>
    /// <returns>How many calls that were.</returns>
    Task<int> BounceAsync(int times);

    Task<string> EchoAsync(string text);

    /// <summary>Ends when all calls of the meeting are there, of both ends.</summary>
    Task MeetAsync();

    Task<int> FailAsync(string message);

    /// <summary>Ends when it is cancelled, or never.</summary>
    Task WaitAsync(CancellationToken cancellationToken);

    /// <summary>Calls the caller's <see cref="WaitAsync"/>.</summary>
    Task HaveCallerWaitAsync(CancellationToken cancellationToken);

    /// <summary>Counts from 0, and notes when nobody asks for more.</summary>
    IAsyncEnumerable<int> CountAsync(int count, CancellationToken cancellationToken);

    Task<long> SumAsync(IAsyncEnumerable<int> numbers, CancellationToken cancellationToken);

    /// <summary>Reports each number from 0.</summary>
    Task WorkAsync(int steps, IProgress<int> progress);

    /// <summary>A notification: nobody waits for an answer.</summary>
    void Note(int number);
}
