namespace NamedPipeShim.Tests.Support;

/// <summary>What a test awaits must end within a step's time: a hang is a failed test, not a stuck run.</summary>
internal static class InTimeExtensions
{
    public static Task InTime(this Task task) => task.WaitAsync(Deadline.Step);

    public static Task<T> InTime<T>(this Task<T> task) => task.WaitAsync(Deadline.Step);

    public static Task InTime(this ValueTask task) => task.AsTask().WaitAsync(Deadline.Step);

    public static Task<T> InTime<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Deadline.Step);
}
