using NUnit.Framework.Interfaces;

namespace NamedPipeShim.Tests.Support;

/// <summary>
/// Ends the process, naming the test, when one takes far longer than all its deadlines: a hang inside a native call stops the
/// runner's own time-outs too.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class WatchdogAttribute : Attribute, ITestAction
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    private static Timer? s_timer;

    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test) => s_timer = new Timer(
        static name => Environment.FailFast($"{name} has hung for {s_limit.TotalMinutes} minutes."),
        test.FullName,
        s_limit,
        Timeout.InfiniteTimeSpan);

    public void AfterTest(ITest test) => s_timer?.Dispose();
}
