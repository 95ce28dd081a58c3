using NamedPipeShim.Async;
using NamedPipeShim.Diagnostics;

namespace NamedPipeShim;

/// <content>Waiting until the peer has read.</content>
public sealed partial class NamedPipeStream
{
    private const int FirstDrainPauseMilliseconds = 1;
    private const int LongestDrainPauseMilliseconds = 50;

    /// <summary>
    /// Waits until the peer has read all that was written before (contract W8): so that it is known to have arrived, which
    /// <see cref="FlushAsync(CancellationToken)"/> does not say.
    /// </summary>
    /// <remarks>No system tells when that is so. On Linux the pipe is asked again and again, after 1 ms first and then more seldom, up to every
    /// 50 ms. On Windows it takes a thread for as long as it lasts (FlushFileBuffers).</remarks>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Completes when all was read.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="NotSupportedException">A stream that only reads.</exception>
    /// <exception cref="NamedPipeException">The peer closed without reading all (<see cref="NamedPipeError.BrokenPipe"/>), or another
    /// error.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its loop was disposed, before or meanwhile.</exception>
    public async ValueTask DrainAsync(CancellationToken cancellationToken = default)
    {
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await (OperatingSystem.IsWindows()
                ? WindowsDrain.RunAsync(_client, cancellationToken)
                : AskUntilReadAsync(cancellationToken)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            PipeTelemetry.Cancelled(Name);
            throw;
        }
    }

    private async Task AskUntilReadAsync(CancellationToken cancellationToken)
    {
        int pause = FirstDrainPauseMilliseconds;
        while (!PeerHasRead())
        {
            using CancellationTokenSource either =
                CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _client.Closing);
            try
            {
                await Task.Delay(pause, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw StreamErrors.Disposed(nameof(NamedPipeStream), Name);
            }

            pause = Math.Min(2 * pause, LongestDrainPauseMilliseconds);
        }
    }

    private bool PeerHasRead()
    {
        try
        {
            return Pipe.GetDrainState(out _) != PipeStatus.WouldBlock;
        }
        catch (NamedPipeException error) when (PipeTelemetry.Failed(Name, error))
        {
            throw;
        }
    }
}
