namespace NamedPipeShim.Tests.Support;

/// <summary>Which end of a pipe is this library's; the other is System.IO.Pipes'.</summary>
public enum OurEnd
{
    Server,
    Client,
}
