using NamedPipeShim.Generated;
using NamedPipeShim.Interop;

namespace NamedPipeShim;

/// <content>Acting as the client.</content>
public sealed partial class NamedPipe
{
    /// <summary>
    /// Server, Windows: runs something as the client, as far as that allows it
    /// (<see cref="NamedPipeClientOptions.ImpersonationLevel"/>; <c>nps_pipe_impersonate</c>, contract I2).
    /// </summary>
    /// <remarks>
    /// This thread alone acts as the client, and only until <paramref name="action"/> returns or throws; no code of the caller, an
    /// exception filter neither, runs before the thread is itself again. What comes after an <c>await</c> runs as the process: do
    /// not give an asynchronous method. Should the system refuse to give the thread its own identity back, the process is ended at
    /// once: a thread that is somebody else must not run other code.
    /// </remarks>
    /// <param name="action">What to run.</param>
    /// <exception cref="NotSupportedException">Linux, at once; a client end.</exception>
    /// <exception cref="InvalidOperationException">Nothing was read from the client yet, so that it is not
    /// known.</exception>
    /// <exception cref="NamedPipeException">The client does not allow it (<see cref="NamedPipeError.AccessDenied"/>),
    /// there is none
    /// (<see cref="NamedPipeError.NotConnected"/>), or another error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public void RunAsClient(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        RunAsClient(
            static run =>
            {
                run();
                return 0;
            },
            action);
    }

    /// <summary>Server, Windows: runs something as the client, as <see cref="RunAsClient(Action)"/>, and returns its
    /// result.</summary>
    /// <typeparam name="TResult">What comes back; no task.</typeparam>
    /// <param name="function">What to run.</param>
    /// <returns>What it returned.</returns>
    /// <exception cref="ArgumentException"><typeparamref name="TResult"/> is a task, most of which would run as the
    /// process.</exception>
    /// <inheritdoc cref="RunAsClient(Action)"/>
    public TResult RunAsClient<TResult>(Func<TResult> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (typeof(Task).IsAssignableFrom(typeof(TResult))
            || typeof(TResult) == typeof(ValueTask)
            || (typeof(TResult).IsGenericType && typeof(TResult).GetGenericTypeDefinition() == typeof(ValueTask<>)))
        {
            throw new ArgumentException("An asynchronous method would go on as the process after its first await.", nameof(function));
        }

        return RunAsClient(static run => run(), function);
    }

    private TResult RunAsClient<TState, TResult>(Func<TState, TResult> function, TState state)
    {
        if (StatusOf(_handle.Impersonate()) == PipeStatus.WouldBlock)
        {
            throw new InvalidOperationException(
                "Nothing was read from the client yet: only then is it known who it is." + NativeError.Of(Name));
        }

        TResult result;
        try
        {
            result = function(state);
        }
        catch
        {
            // Here and not in a finally: that would run after the exception filters of our callers.
            Revert();
            throw;
        }

        Revert();
        return result;
    }

    /// <summary>The native library ends the process if the system refuses; any other answer must not go unseen
    /// either.</summary>
    private static void Revert()
    {
        NativeResult result = NativeMethods.nps_revert();
        if (!result.Is(nps_status.NPS_OK))
        {
            Environment.FailFast("A thread that acted as a pipe's client cannot become itself again.");
        }
    }
}
