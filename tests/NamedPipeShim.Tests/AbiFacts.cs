using System.Reflection;
using System.Runtime.InteropServices;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Tests;

/// <summary>What the compiler made of nps.h (tests/abi/facts), and what the generator made of it.</summary>
internal static unsafe class AbiFacts
{
    public enum Kind
    {
        Struct = 1,
        Field = 2,
        Enum = 3,
        Member = 4,
        Constant = 5,
        Type = 6,
    }

    public readonly record struct Fact(Kind Kind, string Name, long Value, int Size);

    /// <summary>The native table.</summary>
    public static IReadOnlyList<Fact> Native { get; } = Load();

    /// <summary>Every function of the generated bindings, by its name in the library.</summary>
    public static IReadOnlyDictionary<string, MethodInfo> Functions { get; } = typeof(NativeMethods)
        .GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        .Where(method => method.GetCustomAttribute<DllImportAttribute>() is not null)
        .ToDictionary(method => method.GetCustomAttribute<DllImportAttribute>()!.EntryPoint ?? method.Name);

    /// <summary>Every struct and enum of the generated bindings that is a type of nps.h.</summary>
    public static IReadOnlyList<Type> Types { get; } = [.. typeof(NativeMethods).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(NativeMethods).Namespace && type.IsValueType && !type.IsNested)];

    /// <summary>The generated structs that have fields: the others are opaque.</summary>
    public static IEnumerable<Type> Structs => Types.Where(type => !type.IsEnum && FieldsOf(type).Length > 0);

    public static IEnumerable<Type> Enums => Types.Where(type => type.IsEnum);

    public static IEnumerable<FieldInfo> Constants => typeof(NativeMethods)
        .GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        .Where(constant => constant.IsLiteral);

    public static FieldInfo[] FieldsOf(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

    public static IEnumerable<string> NativeNames(Kind kind) =>
        Native.Where(fact => fact.Kind == kind).Select(fact => fact.Name);

    private static List<Fact> Load()
    {
        NativeFact* facts = nps_abi_facts(out int count);
        List<Fact> list = new(count);
        for (int i = 0; i < count; i++)
        {
            list.Add(new Fact((Kind)facts[i].Kind, Marshal.PtrToStringUTF8(facts[i].Name)!, facts[i].Value, facts[i].Size));
        }

        return list;
    }

    [DllImport("nps_abi_facts", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern NativeFact* nps_abi_facts(out int count);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct NativeFact
    {
        public readonly nint Name;
        public readonly long Value;
        public readonly int Size;
        public readonly int Kind;
    }
}
