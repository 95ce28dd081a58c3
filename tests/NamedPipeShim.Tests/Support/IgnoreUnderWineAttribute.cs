using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace NamedPipeShim.Tests.Support;

/// <summary>A test of what Wine does not do. Each is listed in wine-skips.txt, and no other test may be skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class IgnoreUnderWineAttribute(string reason) : NUnitAttribute, IApplyToTest
{
    public string Reason { get; } = reason;

    public void ApplyToTest(Test test)
    {
        if (RunningSystem.IsWine && test.RunState != RunState.NotRunnable)
        {
            test.RunState = RunState.Ignored;
            test.Properties.Set(PropertyNames.SkipReason, Reason);
        }
    }
}
