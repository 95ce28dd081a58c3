using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using NUnit.Framework;

namespace NamedPipeShim.Tests;

/// <summary>A native library that is missing, or is another, is named in a clear message at the first use.</summary>
public class AbiLibraryCheckTests
{
    [Test]
    public void FirstUse_WithoutTheLibrary_SaysWhichFileIsMissing() =>
        Assert.That(
            FirstUse(name => throw new DllNotFoundException(name)),
            Is.TypeOf<DllNotFoundException>().With.Message.Contains("needs its native library").And.Message.Contains("nps."));

    [Test]
    public void FirstUse_WithALibraryOfThatNameThatIsNotOurs_SaysSo() =>
        Assert.That(
            FirstUse(_ => NativeLibrary.Load(
                "nps_abi_facts", typeof(AbiFacts).Assembly, DllImportSearchPath.AssemblyDirectory)),
            Is.TypeOf<DllNotFoundException>().With.Message.Contains("not NamedPipeShim's"));

    [Test]
    public void FirstUse_WithAFileThatIsNoLibrary_SaysSo()
    {
        string file = Path.Combine(Path.GetTempPath(), $"nps-{Guid.NewGuid():N}.dll");
        File.WriteAllText(file, "not a library");
        try
        {
            Assert.That(
                FirstUse(_ => NativeLibrary.Load(file)),
                Is.TypeOf<DllNotFoundException>().With.Message.Contains("nps."));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Uses a second copy of NamedPipeShim.dll, which finds its native library as <paramref name="load"/> says.</summary>
    private static Exception? FirstUse(Func<string, nint> load)
    {
        Context context = new(load);
        try
        {
            Assembly copy = context.LoadFromAssemblyPath(typeof(NamedPipePoller).Assembly.Location);
            ConstructorInfo constructor = copy.GetType(typeof(NamedPipePoller).FullName!)!.GetConstructors().Single();
            TargetInvocationException? thrown = Assert.Catch<TargetInvocationException>(() => constructor.Invoke([null]));
            return thrown!.InnerException;
        }
        finally
        {
            context.Unload();
        }
    }

    private sealed class Context(Func<string, nint> load) : AssemblyLoadContext("another copy", isCollectible: true)
    {
        protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
            unmanagedDllName == "nps" ? load(unmanagedDllName) : 0;
    }
}
