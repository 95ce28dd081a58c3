using System.Reflection;

namespace NamedPipeShim.Tests;

/// <summary>Every program in the docs is a part of a sample, which the build compiles and .ci/run runs.</summary>
public sealed class DocsTests
{
    private static readonly string[] s_languages = ["csharp", "c", "python"];

    private static IEnumerable<string> Documents => Resources("docs/");

    [TestCaseSource(nameof(Documents))]
    public void EveryProgram_IsPartOfASample(string document)
    {
        List<string[]> samples = [.. Resources("samples/").Select(LinesOf)];
        Assert.That(samples, Has.Count.GreaterThan(10));
        foreach (string[] program in ProgramsOf(LinesOf(document)))
        {
            Assert.That(samples.Any(sample => Contains(sample, program)), $"Not in samples/:\n{string.Join('\n', program)}");
        }
    }

    [Test]
    public void TheGuides_HavePrograms()
    {
        foreach (string document in new[] { "docs/README.md", "docs/csharp.md", "docs/migrating.md", "docs/c-api.md" })
        {
            Assert.That(ProgramsOf(LinesOf(document)), Is.Not.Empty, document);
        }
    }

    private static IEnumerable<string> Resources(string folder) =>
        Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(folder, StringComparison.Ordinal));

    // Without what indents them: a program may stand deeper in its sample than in the docs.
    private static string[] LinesOf(string resource) =>
        [.. AbiTestResource.Text(resource).Split('\n').Select(line => line.Trim())];

    private static IEnumerable<string[]> ProgramsOf(string[] document)
    {
        for (int i = 0; i < document.Length; i++)
        {
            if (s_languages.Any(language => document[i] == "```" + language))
            {
                int end = Array.IndexOf(document, "```", i + 1);
                yield return document[(i + 1)..end];
                i = end;
            }
        }
    }

    private static bool Contains(string[] sample, string[] program)
    {
        for (int i = 0; i + program.Length <= sample.Length; i++)
        {
            if (sample.AsSpan(i, program.Length).SequenceEqual(program))
            {
                return true;
            }
        }

        return false;
    }
}
