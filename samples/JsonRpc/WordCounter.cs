namespace NamedPipeShim.Samples.Words;

/// <summary>Serves one client, whose documents it asks for.</summary>
internal sealed class WordCounter(IDocuments client) : IWordCounter
{
    public async Task<int> CountAsync(string document, CancellationToken cancellationToken)
    {
        string text = await client.ReadAsync(document, cancellationToken);
        return text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
    }
}
