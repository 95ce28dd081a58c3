using System.Security.Cryptography;

namespace NamedPipeShim.Samples.Transfer;

/// <summary>
/// Where received data go: into a hash, and into a file if there is a folder for it. The file has a temporary name until it
/// is verified, and disappears if it never is.
/// </summary>
internal sealed class IncomingFile : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly string _path = "";
    private FileStream? _file;

    /// <param name="folder">An existing folder, or null: only verify.</param>
    /// <param name="name">A safe file name.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public IncomingFile(string? folder, string name)
    {
        if (folder is not null)
        {
            _path = Path.Combine(folder, name);
            string temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.part");
            _file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        }
    }

    /// <summary>Whether something has that name already.</summary>
    public static bool IsTaken(string? folder, string name) =>
        folder is not null && Path.Exists(Path.Combine(folder, name));

    public void Append(ReadOnlySpan<byte> data)
    {
        _hash.AppendData(data);
        _file?.Write(data);
    }

    /// <summary>The hash of all that was appended.</summary>
    public byte[] HashOfAll() => _hash.GetHashAndReset();

    /// <summary>Gives the file its name; never replaces another.</summary>
    /// <exception cref="IOException">The name was taken meanwhile, or the file cannot be renamed.</exception>
    public void Keep()
    {
        if (_file is not null)
        {
            _file.Dispose();
            File.Move(_file.Name, _path, overwrite: false);
            _file = null;
        }
    }

    public void Dispose()
    {
        _hash.Dispose();
        if (_file is not null)
        {
            _file.Dispose();
            try
            {
                File.Delete(_file.Name);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The folder has gone, or became read-only. The transfer failed anyway, and was reported so.
            }

            _file = null;
        }
    }
}
