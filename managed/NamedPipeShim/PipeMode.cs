namespace NamedPipeShim;

/// <summary>
/// What a pipe carries. The numbers are those of <c>nps_mode</c>, and of
/// <see cref="System.IO.Pipes.PipeTransmissionMode"/>, whose
/// message mode is marked as Windows' alone: here Linux has it, too.
/// </summary>
public enum PipeMode
{
    /// <summary>A stream of bytes.</summary>
    Byte = 0,

    /// <summary>Messages: each write is one, and a read gives bytes of one only (contract R4, W5).</summary>
    Message = 1,
}
