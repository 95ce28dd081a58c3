using System.Reflection;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>wine-skips.txt lists the tests that are ignored under Wine: these and no others, with the same reasons. Of each project of
/// tests that has this file its own.</summary>
public class WineSkipsTests
{
    [Test]
    public void ListedSkips_AreThoseOfTheTests()
    {
        using Stream stream = typeof(WineSkipsTests).Assembly.GetManifestResourceStream("wine-skips.txt")!;
        using StreamReader reader = new(stream);
        string ours = typeof(WineSkipsTests).Assembly.GetName().Name + ".";
        IEnumerable<string> listed = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith(ours, StringComparison.Ordinal));
        IEnumerable<string> marked = typeof(WineSkipsTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Where(method => method.IsDefined(typeof(IgnoreUnderWineAttribute)))
            .Select(method => $"{method.DeclaringType!.FullName}.{method.Name}: "
                + method.GetCustomAttribute<IgnoreUnderWineAttribute>()!.Reason);
        Assert.That(listed, Is.EquivalentTo(marked));
    }
}
