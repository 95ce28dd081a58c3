namespace NamedPipeShim.Kestrel;

/// <summary>What a connection of this transport offers beyond others: a feature of the connection, and of its requests'
/// connection.</summary>
public interface INamedPipeStreamFeature
{
    /// <summary>The connection's pipe, for what it knows of its peer. Reading, writing or closing it breaks the
    /// connection.</summary>
    NamedPipe Pipe { get; }
}
