using System.IO.Pipelines;

namespace NamedPipeShim.Kestrel;

/// <summary>Two halves of two pipes.</summary>
internal sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
{
    public PipeReader Input { get; } = input;

    public PipeWriter Output { get; } = output;
}
