namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>Calls of both ends that wait for each other.</summary>
internal sealed class RpcMeeting(int calls)
{
    private readonly TaskCompletionSource _allHere = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _here;

    public Task ArriveAsync()
    {
        if (Interlocked.Increment(ref _here) == calls)
        {
            _allHere.SetResult();
        }

        return _allHere.Task;
    }
}
