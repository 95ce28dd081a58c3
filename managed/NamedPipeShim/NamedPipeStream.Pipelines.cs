using System.IO.Pipelines;
using NamedPipeShim.Async;

namespace NamedPipeShim;

/// <content>The view of System.IO.Pipelines.</content>
public sealed partial class NamedPipeStream
{
    /// <summary>
    /// A view of the stream for System.IO.Pipelines. While it waits for data it holds no buffer.
    /// </summary>
    /// <remarks>Use one view, and not the stream beside it: what the view has read ahead is the view's. A stream that only reads has an
    /// <see cref="IDuplexPipe.Output"/> which fails, and the other way round. Of a message stream the view shows bytes without
    /// boundaries; each flush is a message of what was written since the last, or several.</remarks>
    /// <param name="leaveOpen">Who owns the stream. False, the default: the view, which disposes it when both
    /// <see cref="IDuplexPipe.Input"/> and <see cref="IDuplexPipe.Output"/> have been completed; completing one leaves the
    /// other at work. True: the caller.</param>
    /// <returns>The view.</returns>
    public IDuplexPipe AsDuplexPipe(bool leaveOpen = false) => new StreamDuplexPipe(this, leaveOpen);
}
