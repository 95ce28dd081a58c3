namespace NamedPipeShim;

/// <content>The ends that a stream can come to.</content>
public sealed partial class NamedPipeStream
{
    /// <summary>
    /// Closes at once; bytes that are still in the library's hands are lost. Reads and writes that wait fail with
    /// <see cref="ObjectDisposedException"/>. Ends the delivery that goes on after <see cref="Stream.Dispose()"/> too.
    /// </summary>
    public void Abort() => _client.Close(linger: null, nameof(NamedPipeStream));

    /// <summary>
    /// Waits until everything that was accepted is in the system's hands, for <see cref="NamedPipe.DefaultLinger"/> at most,
    /// and closes. <see cref="Stream.Dispose()"/> does not wait: delivery goes on in the background for as long.
    /// </summary>
    /// <returns>Completes when the pipe is closed.</returns>
    public override async ValueTask DisposeAsync()
    {
        if (CanWrite)
        {
            using CancellationTokenSource time = new(NamedPipe.DefaultLinger);
            try
            {
                await FlushAsync(time.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // Closed, broken, or out of time: there is nobody to tell.
            }
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes the stream: what waits fails with <see cref="ObjectDisposedException"/>, and what was accepted is still
    /// delivered in the background, for <see cref="NamedPipe.DefaultLinger"/> at most. Never blocks.</summary>
    /// <remarks>The end of the process waits for that delivery as long.</remarks>
    /// <param name="disposing">False is never passed: the class has no finaliser.</param>
    protected override void Dispose(bool disposing)
    {
        _client.Close(NamedPipe.DefaultLinger, nameof(NamedPipeStream));
        base.Dispose(disposing);
    }
}
