using NamedPipeShim.Generated;
using NamedPipeShim.Interop;

namespace NamedPipeShim.Tests;

/// <summary>The one place where statuses become exceptions. Provoked ones are beside what provokes them.</summary>
internal sealed class ExceptionTests
{
    private const uint Code = 32;

    [TestCase(nps_status.NPS_E_OUT_OF_MEMORY, typeof(InsufficientMemoryException))]
    [TestCase(nps_status.NPS_E_CLOSED, typeof(ObjectDisposedException))]
    [TestCase(nps_status.NPS_E_NOT_REGISTERED, typeof(InvalidOperationException))]
    [TestCase(nps_status.NPS_E_ALREADY_REGISTERED, typeof(InvalidOperationException))]
    [TestCase(nps_status.NPS_E_WAIT_BUSY, typeof(InvalidOperationException))]
    [TestCase(nps_status.NPS_E_NAME_TOO_LONG, typeof(ArgumentException))]
    [TestCase(nps_status.NPS_E_NOT_SUPPORTED, typeof(NotSupportedException))]
    public void MistakesOfTheProgram_HaveTypesOfTheirOwn(nps_status status, Type type)
    {
        Exception e = NativeError.ToException(Result(status, Code), nameof(NamedPipe));
        Assert.That(e, Is.TypeOf(type));
        Assert.That(e.Message, Is.Not.Empty);
    }

    [TestCase(nps_status.NPS_E_NOT_FOUND, NamedPipeError.NotFound)]
    [TestCase(nps_status.NPS_E_PIPE_BUSY, NamedPipeError.PipeBusy)]
    [TestCase(nps_status.NPS_E_ACCESS_DENIED, NamedPipeError.AccessDenied)]
    [TestCase(nps_status.NPS_E_NOT_A_PIPE, NamedPipeError.NotAPipe)]
    [TestCase(nps_status.NPS_E_NOT_OVERLAPPED, NamedPipeError.NotOverlapped)]
    [TestCase(nps_status.NPS_E_NOT_CONNECTED, NamedPipeError.NotConnected)]
    [TestCase(nps_status.NPS_E_BROKEN_PIPE, NamedPipeError.BrokenPipe)]
    [TestCase(nps_status.NPS_E_TIMED_OUT, NamedPipeError.TimedOut)]
    [TestCase(nps_status.NPS_E_TOO_MANY_HANDLES, NamedPipeError.TooManyHandles)]
    [TestCase(nps_status.NPS_E_IO, NamedPipeError.IO)]
    public void FailuresOfPeerOrSystem_AreNamedPipeExceptionsWithTheSystemsCode(nps_status status, NamedPipeError error)
    {
        Exception e = NativeError.ToException(Result(status, Code), nameof(NamedPipe));
        Assert.That(e, Is.TypeOf<NamedPipeException>());
        NamedPipeException failure = (NamedPipeException)e;
        Assert.That(failure.Error, Is.EqualTo(error));
        Assert.That(failure.NativeErrorCode, Is.EqualTo((int)Code));
        Assert.That(failure.Message, Does.Contain($"{Code}"));
        Assert.That(failure.HResult, Is.EqualTo(OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : (int)Code));
    }

    [Test]
    public void EveryErrorStatus_IsMapped()
    {
        foreach (nps_status status in Enum.GetValues<nps_status>().Where(status => status < 0))
        {
            Exception e = NativeError.ToException(Result(status, 0), nameof(NamedPipe));
            if (e is NamedPipeException failure)
            {
                Assert.That(failure.Error, Is.EqualTo((NamedPipeError)status));
                Assert.That(Enum.IsDefined(failure.Error), $"{status}");
                Assert.That(failure.NativeErrorCode, Is.Zero);
            }

            Assert.That(e.Message, Is.Not.Empty.And.Not.Contains("unknown"), $"{status}");
        }
    }

    [Test]
    public void EveryArgument_IsNamed()
    {
        foreach (nps_argument argument in Enum.GetValues<nps_argument>())
        {
            Exception e = NativeError.ToException(
                Result(nps_status.NPS_E_INVALID_ARGUMENT, (uint)argument), nameof(NamedPipe));
            Assert.That(e, Is.InstanceOf<ArgumentException>(), $"{argument}");
            Assert.That(e.Message, Is.Not.Empty.And.Not.Contains("unknown"), $"{argument}");
        }
    }

    [Test]
    public void Closed_NamesTheObject()
    {
        ObjectDisposedException e = (ObjectDisposedException)NativeError.ToException(
            Result(nps_status.NPS_E_CLOSED, 0), nameof(NamedPipePoller));
        Assert.That(e.ObjectName, Is.EqualTo(nameof(NamedPipePoller)));
    }

    [Test]
    public void NamedPipeException_HasTheUsualConstructors()
    {
        IOException inner = new();
        Assert.That(new NamedPipeException().Message, Is.Not.Empty);
        Assert.That(new NamedPipeException("a").Message, Is.EqualTo("a"));
        Assert.That(new NamedPipeException("a", inner).InnerException, Is.SameAs(inner));
        Assert.That(new NamedPipeException("a", NamedPipeError.NotFound, 2), Is.InstanceOf<IOException>());
    }

    [Test]
    public void PipeEvent_IsAValue()
    {
        PipeEvent one = new(7, PipeReadiness.Readable | PipeReadiness.Closed);
        PipeEvent same = new(7, PipeReadiness.Readable | PipeReadiness.Closed);
        PipeEvent other = new(8, PipeReadiness.Readable);
        Assert.That(one == same && one != other && one.Equals((object)same) && !one.Equals((object?)null));
        Assert.That(one.GetHashCode(), Is.EqualTo(same.GetHashCode()));
        Assert.That(one.ToString(), Is.EqualTo("7: Readable, Closed"));
        Assert.That(new PipeEvent(1, PipeReadiness.Error).IsError);
        Assert.That(new PipeEvent(1, PipeReadiness.Writable).IsWritable);
        Assert.That(one.IsClosed && one.IsReadable && !one.IsWritable && !one.IsError && !one.IsWake);
    }

    private static NativeResult Result(nps_status status, uint detail) => ((long)status << 32) | detail;
}
