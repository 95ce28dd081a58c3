using System.Runtime.CompilerServices;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// Awaits one <see cref="ValueTask{TResult}"/> after the other and allocates nothing. On Windows the await of a value task that has
/// to wait puts its awaiter, 32 bytes, on the heap, whatever the source of the task; that is not to be counted as the stream's.
/// </summary>
internal sealed class UnboxedAwait : ICriticalNotifyCompletion
{
    private ValueTask<int> _task;

    public bool IsCompleted => _task.IsCompleted;

    /// <summary>The object itself is the awaiter: one await of it at a time.</summary>
    public UnboxedAwait On(ValueTask<int> task)
    {
        _task = task;
        return this;
    }

    public UnboxedAwait GetAwaiter() => this;

    public int GetResult() => _task.GetAwaiter().GetResult();

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) =>
        _task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(continuation);
}
