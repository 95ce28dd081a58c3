using NUnit.Framework;

namespace NamedPipeShim.Tests;

/// <summary>A change of what others may use shows in the diff of PublicAPI.txt.</summary>
public class PublicApiTests
{
    private const string FileName = "PublicAPI.txt";

    [Test]
    public void PublicApi_IsTheListedOne()
    {
        string actual = PublicApiPrinter.Print(typeof(NamedPipe).Assembly.Location);
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
