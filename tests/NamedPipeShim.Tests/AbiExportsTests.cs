using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using NamedPipeShim.Generated;
using NUnit.Framework;

namespace NamedPipeShim.Tests;

/// <summary>The generated functions against the library's exports and the header's declarations.</summary>
/// <remarks>That the library exports nothing else is CTest's abi.exports.</remarks>
public partial class AbiExportsTests
{
    [Test]
    public void Library_ExportsEveryFunctionOfTheBindings()
    {
        nint library = NativeLibrary.Load("nps", typeof(NativeMethods).Assembly, DllImportSearchPath.AssemblyDirectory);
        try
        {
            Assert.That(AbiFacts.Functions, Is.Not.Empty);
            Assert.That(
                AbiFacts.Functions.Keys.Where(name => !NativeLibrary.TryGetExport(library, name, out _)), Is.Empty);
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }

    [Test]
    public void Bindings_HaveTheFunctionsOfTheHeader_AndNoOthers() =>
        Assert.That(
            AbiFacts.Functions.Keys, Is.EquivalentTo(Declarations().Matches(Header()).Select(match => match.Groups[1].Value)));

    [Test]
    public void Bindings_HaveTheTypesOfTheHeader_AndNoOthers() =>
        Assert.That(
            AbiFacts.Types.Select(type => type.Name),
            Is.EquivalentTo(TypeDefinitions().Matches(Header()).Select(match => match.Groups[1].Value)));

    [Test]
    public void Bindings_UseTheCallingConventionOfC_AndExactNames()
    {
        foreach (DllImportAttribute import in AbiFacts.Functions.Values.Select(
            method => method.GetCustomAttributes(typeof(DllImportAttribute), inherit: false).Cast<DllImportAttribute>().Single()))
        {
            Assert.Multiple(() =>
            {
                Assert.That(import.Value, Is.EqualTo("nps"));
                Assert.That(import.CallingConvention, Is.EqualTo(CallingConvention.Cdecl));
                Assert.That(import.ExactSpelling, Is.True);
                Assert.That(import.SetLastError, Is.False);
            });
        }
    }

    [Test]
    public void Library_HasTheAbiVersionOfTheBindings() =>
        Assert.That(NativeMethods.nps_abi_version(), Is.EqualTo(NativeMethods.NPS_ABI_VERSION));

    [Test]
    public void Library_HasTheVersionOfTheBindings() =>
        Assert.That(NativeMethods.nps_version(), Is.EqualTo(NativeMethods.NPS_VERSION));

    private static string Header() => AbiTestResource.Text("nps.h");

    [GeneratedRegex(@"^NPS_API [^(\r\n]*[ *](\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Declarations();

    [GeneratedRegex(@"^typedef (?:struct|enum) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeDefinitions();
}
