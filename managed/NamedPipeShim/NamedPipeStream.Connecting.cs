using NamedPipeShim.Async;
using NamedPipeShim.Diagnostics;

namespace NamedPipeShim;

/// <content>Connecting as a client.</content>
public sealed partial class NamedPipeStream
{
    /// <summary>Connects to a server, as
    /// <see cref="ConnectAsync(NamedPipeClientOptions,NamedPipeEventLoop?,CancellationToken)"/> with the default options and
    /// loop: one try.</summary>
    /// <param name="name">The server's name.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The connected stream.</returns>
    /// <inheritdoc cref="ConnectAsync(NamedPipeClientOptions,NamedPipeEventLoop?,CancellationToken)" path="/exception"/>
    public static ValueTask<NamedPipeStream> ConnectAsync(string name, CancellationToken cancellationToken = default) =>
        ConnectAsync(new NamedPipeClientOptions { Name = name }, loop: null, cancellationToken);

    /// <summary>
    /// Connects to a server. With a <see cref="NamedPipeClientOptions.Timeout"/> it tries again, with growing pauses, while
    /// the name is not there or busy; no thread waits meanwhile (contract K1, K2).
    /// </summary>
    /// <remarks>How long Windows takes to ask another machine it decides itself: that is done on a thread of the pool, which after a
    /// cancellation is busy until the system has answered.</remarks>
    /// <param name="options">The name and the rest; read now, later changes do nothing.</param>
    /// <param name="loop">The loop that will drive the stream; null: <see cref="NamedPipeEventLoop.Default"/>.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The connected stream.</returns>
    /// <exception cref="ArgumentException">An option is not valid; the parameter name says which.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="NamedPipeException">Without a time-out: not found or busy. With one: timed out, the last of these two
    /// being the inner exception. Access denied, not a pipe, no handle left or another error: at once.</exception>
    /// <exception cref="ObjectDisposedException">The loop was disposed.</exception>
    public static async ValueTask<NamedPipeStream> ConnectAsync(
        NamedPipeClientOptions options, NamedPipeEventLoop? loop = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        options = options.Copy();
        try
        {
            return Own(await OpenAsync(options, cancellationToken).ConfigureAwait(false), loop);
        }
        catch (NamedPipeException error) when (PipeTelemetry.Failed(options.Name, error))
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            PipeTelemetry.Cancelled(options.Name);
            throw;
        }
    }

    private static async ValueTask<NamedPipe> OpenAsync(NamedPipeClientOptions options, CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        Retry retry = default;
        while (true)
        {
            (NamedPipe? pipe, NamedPipeException? why) = await TryOpenAsync(options, cancellationToken).ConfigureAwait(false);
            if (pipe is not null)
            {
                return pipe;
            }

            if (options.Timeout == TimeSpan.Zero)
            {
                throw why!;
            }

            TimeSpan pause = TimeSpan.FromMilliseconds(retry.NextMilliseconds());
            if (options.Timeout != System.Threading.Timeout.InfiniteTimeSpan)
            {
                TimeSpan left = options.Timeout - TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
                if (left <= TimeSpan.Zero)
                {
                    throw StreamErrors.NoConnection(options.Timeout.TotalMilliseconds, options.Name, why!);
                }

                pause = pause < left ? pause : left;
            }

            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
        }
    }

    // One try, which does not block; but the system may ask another machine for as long as it likes.
    private static ValueTask<(NamedPipe? Pipe, NamedPipeException? Why)> TryOpenAsync(
        NamedPipeClientOptions options, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() && options.ServerName != ".")
        {
            return OpenRemoteAsync(options, cancellationToken);
        }

        NamedPipe? pipe = NamedPipe.TryOpenClient(options, out NamedPipeException? why);
        return new((pipe, why));
    }

    private static async ValueTask<(NamedPipe? Pipe, NamedPipeException? Why)> OpenRemoteAsync(
        NamedPipeClientOptions options, CancellationToken cancellationToken)
    {
        Task<(NamedPipe? Pipe, NamedPipeException? Why)> opening = Task.Run(
            () => (NamedPipe.TryOpenClient(options, out NamedPipeException? why), why), CancellationToken.None);
        try
        {
            return await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It cannot be interrupted: what it opens yet is closed.
            _ = opening.ContinueWith(
                static late => (late.Exception is null ? late.Result.Pipe : null)?.Dispose(), TaskScheduler.Default);
            throw;
        }
    }

    private static NamedPipeStream Own(NamedPipe pipe, NamedPipeEventLoop? loop)
    {
        try
        {
            return new NamedPipeStream(pipe, loop);
        }
        catch
        {
            pipe.Dispose();
            throw;
        }
    }
}
