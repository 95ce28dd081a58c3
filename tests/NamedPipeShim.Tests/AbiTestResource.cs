namespace NamedPipeShim.Tests;

/// <summary>Text files that are embedded in this assembly, so that they are there wherever the tests run.</summary>
internal static class AbiTestResource
{
    public static string Text(string name)
    {
        using Stream stream = typeof(AbiTestResource).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The test assembly has no resource called {name}.");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
