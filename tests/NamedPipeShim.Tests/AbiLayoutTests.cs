using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NamedPipeShim.Generated;
using NUnit.Framework;

namespace NamedPipeShim.Tests;

/// <summary>The generated bindings against the compiled header: sizes, offsets, values, and nothing left out.</summary>
public unsafe class AbiLayoutTests
{
    [Test]
    public void Bindings_HaveTheStructsOfTheLibrary_AndNoOthers() =>
        Assert.That(
            AbiFacts.Structs.Select(type => type.Name), Is.EquivalentTo(AbiFacts.NativeNames(AbiFacts.Kind.Struct)));

    [Test]
    public void Bindings_HaveTheFieldsOfTheLibrary_AndNoOthers() =>
        Assert.That(
            AbiFacts.Structs.SelectMany(type => AbiFacts.FieldsOf(type).Select(field => $"{type.Name}.{field.Name}")),
            Is.EquivalentTo(AbiFacts.NativeNames(AbiFacts.Kind.Field)));

    [Test]
    public void Bindings_HaveTheEnumMembersOfTheLibrary_AndNoOthers() =>
        Assert.That(
            AbiFacts.Enums.SelectMany(type => type.GetEnumNames().Select(name => $"{type.Name}.{name}")),
            Is.EquivalentTo(AbiFacts.NativeNames(AbiFacts.Kind.Member)));

    [Test]
    public void Bindings_HaveTheConstantsOfTheLibrary_AndNoOthers() =>
        Assert.That(
            AbiFacts.Constants.Select(field => field.Name),
            Is.EquivalentTo(AbiFacts.NativeNames(AbiFacts.Kind.Constant)));

    [TestCaseSource(nameof(NativeFacts))]
    public void Bindings_AgreeWithTheLibrary(object boxed)
    {
        var fact = (AbiFacts.Fact)boxed;
        string[] parts = fact.Name.Split('.');
        switch (fact.Kind)
        {
            case AbiFacts.Kind.Struct:
                Assert.That(SizeOf(StructNamed(parts[0])), Is.EqualTo(fact.Size));
                break;
            case AbiFacts.Kind.Field:
                Type type = StructNamed(parts[0]);
                Assert.That((long)Marshal.OffsetOf(type, parts[1]), Is.EqualTo(fact.Value), "offset");
                Type fieldType = AbiFacts.FieldsOf(type).Single(field => field.Name == parts[1]).FieldType;
                Assert.That(SizeOf(fieldType), Is.EqualTo(fact.Size), "size");
                break;
            case AbiFacts.Kind.Enum:
                Assert.That(SizeOf(EnumNamed(parts[0]).GetEnumUnderlyingType()), Is.EqualTo(fact.Size));
                break;
            case AbiFacts.Kind.Member:
                object member = Enum.Parse(EnumNamed(parts[0]), parts[1]);
                Assert.That(Convert.ToInt64(member, null), Is.EqualTo(fact.Value));
                break;
            case AbiFacts.Kind.Constant:
                object? constant = AbiFacts.Constants.Single(field => field.Name == fact.Name).GetRawConstantValue();
                Assert.That(Convert.ToInt64(constant, null), Is.EqualTo(fact.Value));
                break;
            case AbiFacts.Kind.Type:
                int size = fact.Name switch
                {
                    "nps_result" => sizeof(long),
                    "size_t" => sizeof(nuint),
                    "intptr_t" => sizeof(nint),
                    "nps_pipe *" => sizeof(nps_pipe*),
                    _ => -1,
                };
                Assert.That(size, Is.EqualTo(fact.Size));
                break;
        }
    }

    [Test]
    public void Bindings_AreBlittable()
    {
        foreach (Type type in AbiFacts.Structs)
        {
            foreach (Type field in AbiFacts.FieldsOf(type).Select(field => field.FieldType))
            {
                Assert.That(IsBlittable(field), Is.True, $"{type.Name}: {field}");
            }
        }

        foreach (var method in AbiFacts.Functions.Values)
        {
            Assert.That(IsBlittable(method.ReturnType), Is.True, $"{method.Name}: {method.ReturnType}");
            foreach (Type parameter in method.GetParameters().Select(parameter => parameter.ParameterType))
            {
                Assert.That(IsBlittable(parameter), Is.True, $"{method.Name}: {parameter}");
            }
        }

        Assert.That(
            typeof(NativeMethods).Assembly.IsDefined(typeof(DisableRuntimeMarshallingAttribute), inherit: false), Is.True);
    }

    private static IEnumerable<TestCaseData> NativeFacts() =>
        AbiFacts.Native.Select(fact => new TestCaseData(fact).SetArgDisplayNames($"{fact.Kind} {fact.Name}"));

    private static Type StructNamed(string name) => AbiFacts.Structs.Single(type => type.Name == name);

    private static Type EnumNamed(string name) => AbiFacts.Enums.Single(type => type.Name == name);

    private static int SizeOf(Type type) => type.IsPointer ? sizeof(void*) : Marshal.SizeOf(type);

    private static bool IsBlittable(Type type) =>
        type == typeof(void) || type.IsPointer || (type.IsPrimitive && type != typeof(bool) && type != typeof(char));
}
