using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace NamedPipeShim.Tests.Support;

/// <summary>
/// A fixture of tests that only one system can have. Elsewhere it has no test at all, so that nothing counts as skipped.
/// </summary>
internal abstract class OneSystemTestsAttribute(bool isHere) : NUnitAttribute, IFixtureBuilder2
{
    private readonly bool _isHere = isHere;

    public IEnumerable<TestSuite> BuildFrom(ITypeInfo typeInfo) =>
        _isHere ? new TestFixtureAttribute().BuildFrom(typeInfo) : [new TestFixture(typeInfo)];

    public IEnumerable<TestSuite> BuildFrom(ITypeInfo typeInfo, IPreFilter filter) =>
        _isHere ? new TestFixtureAttribute().BuildFrom(typeInfo, filter) : [new TestFixture(typeInfo)];
}
