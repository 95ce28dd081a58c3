namespace NamedPipeShim.Samples.Words;

/// <summary>A client's documents: the one named "7" has seven words.</summary>
internal sealed class Documents : IDocuments
{
    public Task<string> ReadAsync(string document, CancellationToken cancellationToken) =>
        Task.FromResult(string.Join(' ', Enumerable.Repeat("word", int.Parse(document, null))));
}
