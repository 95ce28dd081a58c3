using System.Diagnostics;

namespace NamedPipeShim.Samples.Transfer;

/// <summary>Sends files to a receiver, one connection each, one after the other.</summary>
internal sealed class Sender : IDisposable
{
    private readonly NamedPipePoller _poller = new();
    private readonly PipeEvent[] _events = new PipeEvent[4];
    private readonly NamedPipeClientOptions _options;
    private readonly Action<long, long> _progress;

    /// <param name="name">The receiver's pipe.</param>
    /// <param name="wait">How long to try while it is not there or busy.</param>
    /// <param name="progress">Told how many bytes of how many have gone.</param>
    public Sender(string name, TimeSpan wait, Action<long, long> progress)
    {
        _options = new NamedPipeClientOptions { Name = name, Timeout = wait };
        _progress = progress;
    }

    /// <summary>Sends one file, and returns when the receiver has verified it.</summary>
    /// <exception cref="IOException">It did not arrive, or not as it is; the message says why.</exception>
    public SentFile Send(string path)
    {
        using var file = new OutgoingFile(path);
        using NamedPipe pipe = NamedPipe.OpenClient(_options);
        long started = Stopwatch.GetTimestamp();

        // The pipe is connected, so that the first event, "writable", comes at once.
        pipe.Register(_poller, 0, PipeInterest.Both);
        TransferAnswer? answer = null;
        while (answer is null)
        {
            int count = _poller.Wait(_events, Timeout.InfiniteTimeSpan);
            foreach (PipeEvent ready in _events.AsSpan(0, count))
            {
                // The answer first: it may come before the end of the data, when the receiver does not want them.
                if (ready.IsReadable || ready.IsClosed)
                {
                    answer = ReadAnswer(pipe);
                }

                if (answer is null && ready.IsError)
                {
                    ThrowUnlessBroken(pipe.TakeError());
                }

                if (answer is null && ready.IsWritable)
                {
                    SendMore(pipe, file);
                }
            }
        }

        ThrowUnlessVerified(answer.Value);
        return new SentFile(path, file.Length, Stopwatch.GetElapsedTime(started), file.Hash);
    }

    public void Dispose() => _poller.Dispose();

    // Writes until the pipe is full or the file at its end. Either way an event comes: room, or the answer.
    private void SendMore(NamedPipe pipe, OutgoingFile file)
    {
        try
        {
            for (ReadOnlySpan<byte> bytes = file.Next(); !bytes.IsEmpty; bytes = file.Next())
            {
                PipeStatus status = pipe.TryWrite(bytes, out int accepted);
                file.Advance(accepted);
                _progress(file.Position, file.Length);
                if (status == PipeStatus.WouldBlock || accepted < bytes.Length)
                {
                    break;
                }
            }
        }
        catch (NamedPipeException exception)
        {
            ThrowUnlessBroken(exception);
        }
    }

    // A receiver that has closed may have said why. That can still be read, and its event is on its way.
    private static void ThrowUnlessBroken(NamedPipeException? error)
    {
        if (error is not (null or { Error: NamedPipeError.BrokenPipe }))
        {
            throw error;
        }
    }

    private static TransferAnswer? ReadAnswer(NamedPipe pipe)
    {
        Span<byte> answer = stackalloc byte[1];
        return pipe.TryRead(answer, out _) switch
        {
            PipeStatus.Ok => (TransferAnswer)answer[0],
            PipeStatus.EndOfStream => throw new TransferException("the receiver closed without an answer"),
            _ => null,
        };
    }

    private static void ThrowUnlessVerified(TransferAnswer answer)
    {
        if (answer != TransferAnswer.Verified)
        {
            throw new TransferException(answer switch
            {
                TransferAnswer.HashMismatch => "the receiver got other bytes: their SHA-256 differs",
                TransferAnswer.BadHeader => "the receiver does not speak this version of the protocol",
                TransferAnswer.BadName => "the receiver refused the name",
                TransferAnswer.NameTaken => "the receiver has a file of that name already",
                TransferAnswer.NotStored => "the receiver could not store the file",
                _ => $"the receiver gave an answer that means nothing ({(byte)answer})",
            });
        }
    }
}
