using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using NUnit.Framework.Internal.Commands;

namespace NamedPipeShim.Tests.Support;

/// <summary>A test of what Wine does not do. Each is listed in wine-skips.txt, and no other test may be skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class IgnoreUnderWineAttribute(string reason) : NUnitAttribute, IWrapSetUpTearDown
{
    public string Reason { get; } = reason;

    // Each case of a test with parameters is asked for, and gives the reason as it stands in the list.
    public TestCommand Wrap(TestCommand command) => RunningSystem.IsWine ? new IgnoreCommand(command.Test, Reason) : command;

    private sealed class IgnoreCommand(Test test, string reason) : TestCommand(test)
    {
        public override TestResult Execute(TestExecutionContext context)
        {
            context.CurrentResult.SetResult(ResultState.Ignored, reason);
            return context.CurrentResult;
        }
    }
}
