using System.Reflection;

namespace NamedPipeShim.Tests;

/// <summary>Compares what an assembly offers with the PublicAPI.txt of its tests, or rewrites that.</summary>
internal static class PublicApiListing
{
    private const string FileName = "PublicAPI.txt";

    public static void Check(Assembly assembly)
    {
        string actual = PublicApiPrinter.Print(assembly.Location);
        if (Environment.GetEnvironmentVariable("NPS_WRITE_PUBLIC_API") == "1")
        {
            File.WriteAllText(SourceFile(), actual);
            return;
        }

        Assert.That(
            actual,
            Is.EqualTo(AbiTestResource.Text(FileName)),
            "The public API has changed. If that is meant: NPS_WRITE_PUBLIC_API=1 dotnet test --filter PublicApi, and commit.");
    }

    private static string SourceFile()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string file = Path.Combine(folder.FullName, FileName);
            if (File.Exists(file))
            {
                return file;
            }
        }

        throw new FileNotFoundException($"No {FileName} was found above the test assembly.");
    }
}
