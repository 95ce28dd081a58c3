namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>What carries the HTTP client's bytes.</summary>
public enum ClientKind
{
    Ours,
    SystemIOPipes,
}
