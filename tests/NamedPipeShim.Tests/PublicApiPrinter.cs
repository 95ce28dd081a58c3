using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace NamedPipeShim.Tests;

/// <summary>Prints what an assembly offers to others, as declarations in C#, one line each, in a fixed order.</summary>
internal static class PublicApiPrinter
{
    private static readonly SymbolDisplayFormat s_format = new(
        SymbolDisplayGlobalNamespaceStyle.Omitted,
        SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces,
        SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeVariance
            | SymbolDisplayGenericsOptions.IncludeTypeConstraints,
        SymbolDisplayMemberOptions.IncludeAccessibility | SymbolDisplayMemberOptions.IncludeModifiers
            | SymbolDisplayMemberOptions.IncludeType | SymbolDisplayMemberOptions.IncludeParameters
            | SymbolDisplayMemberOptions.IncludeConstantValue | SymbolDisplayMemberOptions.IncludeRef,
        SymbolDisplayDelegateStyle.NameAndSignature,
        SymbolDisplayExtensionMethodStyle.StaticMethod,
        SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName
            | SymbolDisplayParameterOptions.IncludeModifiers | SymbolDisplayParameterOptions.IncludeDefaultValue
            | SymbolDisplayParameterOptions.IncludeExtensionThis,
        SymbolDisplayPropertyStyle.ShowReadWriteDescriptor,
        SymbolDisplayLocalOptions.None,
        SymbolDisplayKindOptions.IncludeTypeKeyword,
        SymbolDisplayMiscellaneousOptions.UseSpecialTypes | SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers
            | SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    // What the compiler adds by itself; the declarations say it already.
    private static readonly HashSet<string> s_compilersOwn =
    [
        "System.Runtime.CompilerServices.NullableAttribute",
        "System.Runtime.CompilerServices.NullableContextAttribute",
        "System.Runtime.CompilerServices.IsReadOnlyAttribute",
        "System.Runtime.CompilerServices.RequiredMemberAttribute",
        "System.Runtime.CompilerServices.CompilerFeatureRequiredAttribute",
        "System.Runtime.CompilerServices.CompilerGeneratedAttribute",
        "System.Runtime.CompilerServices.AsyncStateMachineAttribute",
        "System.Runtime.CompilerServices.AsyncIteratorStateMachineAttribute",
        "System.Runtime.CompilerServices.IteratorStateMachineAttribute",
        "System.Diagnostics.DebuggerHiddenAttribute",
        "System.Diagnostics.DebuggerStepThroughAttribute",
    ];

    public static string Print(string assemblyPath)
    {
        MetadataReference assembly = MetadataReference.CreateFromFile(assemblyPath);
        IEnumerable<MetadataReference> framework = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(path => !Path.GetFileName(path).Equals(Path.GetFileName(assemblyPath), StringComparison.OrdinalIgnoreCase))
            .Select(path => MetadataReference.CreateFromFile(path));
        CSharpCompilation compilation = CSharpCompilation.Create("PublicApi", references: framework.Append(assembly));
        if (compilation.GetAssemblyOrModuleSymbol(assembly) is not IAssemblySymbol symbol)
        {
            throw new InvalidOperationException($"{assemblyPath} is no assembly.");
        }

        StringBuilder text = new();
        text.Append($"# What {Path.GetFileName(assemblyPath)} offers. PublicApiTests compares it; NPS_WRITE_PUBLIC_API=1 rewrites it.\n");
        foreach (INamedTypeSymbol type in Types(symbol.GlobalNamespace)
            .OrderBy(type => type.ToDisplayString(), StringComparer.Ordinal))
        {
            PrintType(text, type);
        }

        return text.ToString();
    }

    private static IEnumerable<INamedTypeSymbol> Types(INamespaceOrTypeSymbol container) =>
        container.GetMembers().OfType<INamespaceOrTypeSymbol>().SelectMany(member => member switch
        {
            INamedTypeSymbol type when IsVisible(type) => Types(type).Prepend(type),
            INamespaceSymbol space => Types(space),
            _ => [],
        });

    private static void PrintType(StringBuilder text, INamedTypeSymbol type)
    {
        text.Append('\n');
        PrintAttributes(text, type, "");
        text.Append(Modifiers(type)).Append(type.ToDisplayString(s_format)).Append(Bases(type)).Append('\n');
        IEnumerable<ISymbol> members = type.GetMembers().Where(member => member is not INamedTypeSymbol && IsListed(member));
        members = type.TypeKind == TypeKind.Enum
            ? members.OfType<IFieldSymbol>().OrderBy(field => Convert.ToInt64(field.ConstantValue, null))
            : members.OrderBy(member => member.ToDisplayString(s_format), StringComparer.Ordinal);
        foreach (ISymbol member in members)
        {
            PrintAttributes(text, member, "    ");
            text.Append("    ").Append(Line(member)).Append('\n');
        }
    }

    private static string Modifiers(INamedTypeSymbol type)
    {
        string accessibility = type.DeclaredAccessibility == Accessibility.Public ? "public " : "protected ";
        return type.TypeKind switch
        {
            // Roslyn itself prints "readonly" and "ref" of a struct.
            TypeKind.Struct => accessibility,
            TypeKind.Class when type.IsStatic => accessibility + "static ",
            TypeKind.Class => accessibility + (type.IsAbstract ? "abstract " : "") + (type.IsSealed ? "sealed " : ""),
            _ => accessibility,
        };
    }

    private static string Bases(INamedTypeSymbol type)
    {
        if (type.TypeKind == TypeKind.Enum)
        {
            return $" : {type.EnumUnderlyingType!.ToDisplayString(s_format)}";
        }

        IEnumerable<INamedTypeSymbol> bases = type.Interfaces.Where(IsVisible);
        if (type.BaseType is { SpecialType: not (SpecialType.System_Object or SpecialType.System_ValueType) } parent)
        {
            bases = bases.Prepend(parent);
        }

        string list = string.Join(", ", bases.Select(symbol => symbol.ToDisplayString(
            s_format.WithKindOptions(SymbolDisplayKindOptions.None))));
        return list.Length == 0 ? "" : $" : {list}";
    }

    private static string Line(ISymbol member) => member switch
    {
        IFieldSymbol { ContainingType.TypeKind: TypeKind.Enum } field => $"{field.Name} = {field.ConstantValue}",
        _ => member.ToDisplayString(s_format),
    };

    private static void PrintAttributes(StringBuilder text, ISymbol symbol, string indent)
    {
        IEnumerable<string> attributes = symbol.GetAttributes()
            .Where(attribute => attribute.AttributeClass is { } type && IsVisible(type)
                && !s_compilersOwn.Contains(type.ToDisplayString()))
            .Select(attribute => attribute.ToString()!)
            .Order(StringComparer.Ordinal);
        foreach (string attribute in attributes)
        {
            text.Append(indent).Append('[').Append(attribute).Append("]\n");
        }
    }

    private static bool IsVisible(ISymbol symbol) =>
        symbol.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal;

    private static bool IsListed(ISymbol member) => IsVisible(member) && member switch
    {
        IMethodSymbol method => method.MethodKind is MethodKind.Ordinary or MethodKind.Constructor or MethodKind.UserDefinedOperator
            or MethodKind.Conversion && !(method.IsImplicitlyDeclared && method.ContainingType.TypeKind != TypeKind.Class),
        _ => true,
    };
}
