using PolyType;
using StreamJsonRpc;

namespace NamedPipeShim.Samples.Words;

/// <summary>What the server may ask of a client.</summary>
[JsonRpcContract]
[GenerateShape(IncludeMethods = MethodShapeFlags.PublicInstance)]
public partial interface IDocuments
{
    /// <summary>The text of a document.</summary>
    Task<string> ReadAsync(string document, CancellationToken cancellationToken = default);
}
