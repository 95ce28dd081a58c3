namespace NamedPipeShim.Async;

/// <summary>What a <see cref="StreamOperation"/> does.</summary>
internal enum OperationKind
{
    /// <summary>Reads what is there into its destination; ends with the number of bytes, 0 at the end of the stream.</summary>
    Read,

    /// <summary>Reads a message or a part of one; ends with a <see cref="StreamTransfer.MessageCode"/>.</summary>
    ReadMessage,

    /// <summary>Writes all of its source.</summary>
    Write,

    /// <summary>Writes all of its segments.</summary>
    WriteSegments,

    /// <summary>Waits until everything that was accepted is in the system's hands.</summary>
    Flush,

    /// <summary>Says that no more will be written.</summary>
    CompleteWrites,
}
