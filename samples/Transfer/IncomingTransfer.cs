using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace NamedPipeShim.Samples.Transfer;

/// <summary>
/// One server instance: it waits for a sender, takes one file from it, answers, and ends when the sender closes. It never
/// blocks: <see cref="TakeTurn"/> does what can be done now, and remembers where it was.
/// </summary>
internal sealed class IncomingTransfer : IDisposable
{
    // A sender that is always ahead of us must not starve the others: after this many reads it is their turn.
    private const int ReadsPerTurn = 16;

    private readonly NamedPipe _pipe;
    private readonly string? _folder;
    private readonly Action<ReceivedTransfer> _report;
    private readonly byte[] _part = new byte[TransferHeader.MaxNameLength];
    private readonly byte[] _answer = new byte[1];
    private Phase _phase = Phase.Listening;
    private int _partLength;
    private int _partNeeded;
    private TransferHeader _header;
    private string? _name;
    private IncomingFile? _file;
    private long _received;
    private long _started;
    private bool _answerUnsent;

    /// <param name="pipe">A server instance; owned from now on.</param>
    /// <param name="token">Tells it from the others.</param>
    /// <param name="folder">Where files are kept, or null.</param>
    /// <param name="report">Called once for each transfer that began.</param>
    public IncomingTransfer(NamedPipe pipe, nuint token, string? folder, Action<ReceivedTransfer> report)
    {
        _pipe = pipe;
        Token = token;
        _folder = folder;
        _report = report;
    }

    private enum Phase
    {
        Listening,
        Header,
        Name,
        Data,
        Hash,
        Answered,
    }

    public nuint Token { get; }

    public bool IsListening => _phase == Phase.Listening;

    /// <summary>Whether it is among those that get a turn.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Starts to wait for a sender.</summary>
    public void Listen(NamedPipePoller poller)
    {
        _pipe.Register(poller, Token, PipeInterest.Both);

        // The answer does not matter here: connected or not, an event will come.
        _ = _pipe.TryConnect();
    }

    /// <summary>Does all that can be done now, within a bound.</summary>
    /// <param name="buffer">Memory to read into; nothing in it is needed afterwards, so all transfers share it.</param>
    /// <exception cref="NamedPipeException">No sender can be accepted.</exception>
    public TurnResult TakeTurn(Span<byte> buffer)
    {
        try
        {
            if (_pipe.TakeError() is { } error)
            {
                throw error;
            }

            if (_phase == Phase.Listening && !Accept())
            {
                return TurnResult.WaitsForEvent;
            }

            SendAnswer();
            for (int i = 0; i < ReadsPerTurn; i++)
            {
                switch (_pipe.TryRead(buffer, out int count))
                {
                    case PipeStatus.WouldBlock:
                        return TurnResult.WaitsForEvent;
                    case PipeStatus.EndOfStream:
                        ReportUnfinished("the sender closed before the end");
                        return TurnResult.Ended;
                }

                Consume(buffer[..count]);
                SendAnswer();
                if (count < buffer.Length)
                {
                    // There was no more, and the pipe is armed again: an event will come.
                    return TurnResult.WaitsForEvent;
                }
            }

            // Events are edges: bytes that were left unread announce themselves no second time.
            return TurnResult.WantsAnotherTurn;
        }
        catch (NamedPipeException) when (_phase == Phase.Listening)
        {
            // No sender is to blame: that is for the receiver to handle.
            throw;
        }
        catch (NamedPipeException exception)
        {
            ReportUnfinished(exception.Message);
            return TurnResult.Ended;
        }
    }

    /// <summary>Ends it, whatever its state. An answer that was given still arrives.</summary>
    public void Dispose()
    {
        if (_phase is Phase.Answered)
        {
            _pipe.Close(NamedPipe.DefaultLinger);
        }
        else
        {
            if (_phase is not Phase.Listening)
            {
                ReportUnfinished("cut off: the receiver stops");
            }

            _pipe.Abort();
        }

        _file?.Dispose();
        _pipe.Dispose();
    }

    private bool Accept()
    {
        if (_pipe.TryConnect() != PipeStatus.Ok)
        {
            return false;
        }

        _started = Stopwatch.GetTimestamp();
        Gather(Phase.Header, TransferHeader.FixedSize);
        return true;
    }

    private void Consume(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _phase != Phase.Answered)
        {
            int count;
            if (_phase == Phase.Data)
            {
                count = (int)Math.Min(bytes.Length, _header.DataLength - _received);
                TakeData(bytes[..count]);
            }
            else
            {
                count = Math.Min(bytes.Length, _partNeeded - _partLength);
                bytes[..count].CopyTo(_part.AsSpan(_partLength));
                _partLength += count;
                if (_partLength == _partNeeded)
                {
                    TakePart(_part.AsSpan(0, _partLength));
                }
            }

            bytes = bytes[count..];
        }
    }

    private void Gather(Phase phase, int size)
    {
        _phase = phase;
        _partLength = 0;
        _partNeeded = size;
    }

    private void TakePart(ReadOnlySpan<byte> part)
    {
        switch (_phase)
        {
            case Phase.Header when TransferHeader.TryRead(part, out _header):
                Gather(Phase.Name, _header.NameLength);
                break;
            case Phase.Header:
                Answer(TransferAnswer.BadHeader, "what came is not a transfer");
                break;
            case Phase.Name:
                TakeName(part);
                break;
            default:
                TakeHash(part);
                break;
        }
    }

    private void TakeName(ReadOnlySpan<byte> utf8)
    {
        try
        {
            string received = TransferHeader.NameEncoding.GetString(utf8);
            _name = received;
            if (!ReceivedName.TryMakeSafe(received, out string safe))
            {
                Answer(TransferAnswer.BadName, "refused: no file may have that name here");
                return;
            }

            _name = safe;
            if (IncomingFile.IsTaken(_folder, safe))
            {
                Answer(TransferAnswer.NameTaken, "refused: a file of that name is there already");
                return;
            }

            _file = new IncomingFile(_folder, safe);
            ExpectDataOrHash();
        }
        catch (DecoderFallbackException)
        {
            Answer(TransferAnswer.BadName, "refused: the name is not UTF-8");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Answer(TransferAnswer.NotStored, exception.Message);
        }
    }

    private void TakeData(ReadOnlySpan<byte> data)
    {
        try
        {
            _file!.Append(data);
            _received += data.Length;
            ExpectDataOrHash();
        }
        catch (IOException exception)
        {
            Answer(TransferAnswer.NotStored, exception.Message);
        }
    }

    // The end is where the header says it is; it may be right behind the name.
    private void ExpectDataOrHash()
    {
        if (_received == _header.DataLength)
        {
            Gather(Phase.Hash, SHA256.HashSizeInBytes);
        }
        else
        {
            _phase = Phase.Data;
        }
    }

    private void TakeHash(ReadOnlySpan<byte> expected)
    {
        byte[] hash = _file!.HashOfAll();
        if (!expected.SequenceEqual(hash))
        {
            Answer(TransferAnswer.HashMismatch, "the SHA-256 is not the one that was sent", hash);
            return;
        }

        try
        {
            _file.Keep();
            Answer(TransferAnswer.Verified, null, hash);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            bool taken = IncomingFile.IsTaken(_folder, _name!);
            Answer(taken ? TransferAnswer.NameTaken : TransferAnswer.NotStored, exception.Message);
        }
    }

    private void Answer(TransferAnswer answer, string? problem, byte[]? hash = null)
    {
        _phase = Phase.Answered;
        _answer[0] = (byte)answer;
        _answerUnsent = true;
        _file?.Dispose();
        _file = null;
        Report(problem, hash ?? []);
    }

    // Would-block is no trouble: a writable event will come, and with it another turn.
    private void SendAnswer()
    {
        if (_answerUnsent && _pipe.TryWrite(_answer, out _) == PipeStatus.Ok)
        {
            _answerUnsent = false;
        }
    }

    private void ReportUnfinished(string problem)
    {
        // Somebody who came and left without a word is no transfer.
        bool began = _phase > Phase.Header || (_phase == Phase.Header && _partLength > 0);
        if (began && _phase != Phase.Answered)
        {
            Report(problem, []);
        }

        _phase = Phase.Answered;
    }

    private void Report(string? problem, byte[] hash)
    {
        string? shown = _name is null ? null : ReceivedName.ForDisplay(_name);
        _report(new ReceivedTransfer(shown, _received, Stopwatch.GetElapsedTime(_started), hash, problem));
    }
}
