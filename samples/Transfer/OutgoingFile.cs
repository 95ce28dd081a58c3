using System.Security.Cryptography;

namespace NamedPipeShim.Samples.Transfer;

/// <summary>A file as the bytes that the protocol wants: header, data, hash; never more of them in memory than one buffer.</summary>
internal sealed class OutgoingFile : IDisposable
{
    private const int BufferSize = 65_536;

    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[BufferSize];
    private long _unread;
    private bool _hashIsOut;
    private int _start;
    private int _end;

    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public OutgoingFile(string path)
    {
        byte[] name = TransferHeader.NameEncoding.GetBytes(Path.GetFileName(path));
        if (name.Length is 0 or > TransferHeader.MaxNameLength)
        {
            throw new TransferException("it has no name that can be sent");
        }

        _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        Length = _file.Length;
        _unread = Length;
        _end = TransferHeader.Write(_buffer, name, Length);
    }

    /// <summary>Bytes of data, without header and hash.</summary>
    public long Length { get; }

    /// <summary>Bytes of data that were read so far.</summary>
    public long Position => Length - _unread;

    /// <summary>SHA-256 of the data; empty before all were read.</summary>
    public byte[] Hash { get; private set; } = [];

    /// <summary>The next bytes to send; empty when there are no more.</summary>
    public ReadOnlySpan<byte> Next()
    {
        // What was not accepted last time comes first.
        if (_start == _end)
        {
            _start = 0;
            _end = 0;
        }

        if (_start == 0)
        {
            Fill();
        }

        return _buffer.AsSpan(_start, _end - _start);
    }

    /// <summary>Says how many of the bytes were accepted.</summary>
    public void Advance(int count) => _start += count;

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void Fill()
    {
        while (_unread > 0 && _end < _buffer.Length)
        {
            int wanted = (int)Math.Min(_buffer.Length - _end, _unread);
            int count = _file.Read(_buffer, _end, wanted);
            if (count == 0)
            {
                throw new TransferException("it became shorter while it was being sent");
            }

            _hash.AppendData(_buffer, _end, count);
            _unread -= count;
            _end += count;
        }

        if (_unread == 0 && !_hashIsOut && _buffer.Length - _end >= SHA256.HashSizeInBytes)
        {
            Hash = _hash.GetHashAndReset();
            Hash.CopyTo(_buffer, _end);
            _end += Hash.Length;
            _hashIsOut = true;
        }
    }
}
