namespace NamedPipeShim.Samples.Transfer;

/// <summary>The one byte that the receiver sends back.</summary>
internal enum TransferAnswer : byte
{
    /// <summary>Every byte is here, the hash is right, and the file is where it belongs.</summary>
    Verified = 1,

    /// <summary>The data do not have the hash that was sent.</summary>
    HashMismatch = 2,

    /// <summary>Not this protocol, or not this version of it.</summary>
    BadHeader = 3,

    /// <summary>The name is none that a file may have here.</summary>
    BadName = 4,

    /// <summary>A file of that name is there already.</summary>
    NameTaken = 5,

    /// <summary>The receiver could not write the file.</summary>
    NotStored = 6,
}
