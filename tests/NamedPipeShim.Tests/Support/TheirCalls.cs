namespace NamedPipeShim.Tests.Support;

/// <summary>How System.IO.Pipes' end was opened and is used.</summary>
public enum TheirCalls
{
    Asynchronous,
    Synchronous,
}
