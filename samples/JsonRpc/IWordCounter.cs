using PolyType;
using StreamJsonRpc;

namespace NamedPipeShim.Samples.Words;

/// <summary>What a client may ask of the server.</summary>
[JsonRpcContract]
[GenerateShape(IncludeMethods = MethodShapeFlags.PublicInstance)]
public partial interface IWordCounter
{
    /// <summary>Counts the words of a document of the client's.</summary>
    Task<int> CountAsync(string document, CancellationToken cancellationToken = default);
}
