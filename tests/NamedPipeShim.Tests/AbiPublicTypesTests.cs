using System.Reflection;
using System.Runtime.InteropServices;
using NamedPipeShim.Generated;
using NUnit.Framework;

namespace NamedPipeShim.Tests;

/// <summary>The public types that repeat numbers of nps.h, or its layout, or its defaults.</summary>
public unsafe class AbiPublicTypesTests
{
    [Test]
    public void PipeEvent_IsLaidOutAsNpsEvent()
    {
        FieldInfo[] ours = typeof(PipeEvent).GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);
        FieldInfo[] theirs = AbiFacts.FieldsOf(typeof(nps_event));
        Assert.Multiple(() =>
        {
            Assert.That(sizeof(PipeEvent), Is.EqualTo(sizeof(nps_event)));
            Assert.That(ours.Select(Describe<PipeEvent>), Is.EqualTo(theirs.Select(Describe<nps_event>)));
        });
        static string Describe<T>(FieldInfo field) =>
            $"{field.Name.TrimStart('_')} {field.FieldType} at {Marshal.OffsetOf<T>(field.Name)}";
    }

    [Test]
    public void PipeStatus_HasEveryStatusThatIsNoError() =>
        Assert.That(
            Numbers<PipeStatus>(), Is.EquivalentTo(Numbers<nps_status>().Where(number => number >= 0)));

    [Test]
    public void NamedPipeError_HasOnlyStatusesThatAreErrors_UnderTheirNames()
    {
        foreach (NamedPipeError error in Enum.GetValues<NamedPipeError>().Where(error => error != NamedPipeError.None))
        {
            string? native = Enum.GetName((nps_status)error);
            Assert.That(native?.Replace("NPS_E_", "").Replace("_", ""), Is.EqualTo($"{error}").IgnoreCase);
        }
    }

    [Test]
    public void PipeReadiness_HasEveryBit() =>
        Assert.That(Numbers<PipeReadiness>().Where(number => number != 0), Is.EquivalentTo(Numbers<nps_readiness>()));

    [Test]
    public void PipeInterest_HasEveryBit() =>
        Assert.That(
            Numbers<PipeInterest>().Where(number => number is not (0 or (long)PipeInterest.Both)),
            Is.EquivalentTo(Numbers<nps_interest>()));

    [Test]
    public void PipeMode_IsTheModeOfTheLibrary_AndOfSystemIOPipes()
    {
        Assert.That(Numbers<PipeMode>(), Is.EquivalentTo(Numbers<nps_mode>()));
        Assert.That(Numbers<PipeMode>(), Is.EquivalentTo(Numbers<System.IO.Pipes.PipeTransmissionMode>()));
    }

    [Test]
    public void PipeDirection_IsTheDirectionOfTheLibrary() =>
        Assert.That(Numbers<System.IO.Pipes.PipeDirection>(), Is.EquivalentTo(Numbers<nps_direction>()));

    [Test]
    public void PollerOptions_HaveTheDefaultsOfTheLibrary()
    {
        nps_poll_options filled;
        Assert.That(NativeMethods.nps_poll_options_init(&filled, (uint)sizeof(nps_poll_options)), Is.Zero);
        nps_poll_options native = filled;
        NamedPipePollerOptions ours = new();
        Assert.Multiple(() =>
        {
            Assert.That(ours.PoolBuffers, Is.EqualTo(native.pool_buffers));
            Assert.That(ours.PoolBufferSize, Is.EqualTo(native.pool_buffer_size));
        });
    }

    [Test]
    public void ServerOptions_HaveTheDefaultsOfTheLibrary()
    {
        nps_server_options filled;
        Assert.That(NativeMethods.nps_server_options_init(&filled, (uint)sizeof(nps_server_options)), Is.Zero);
        nps_server_options native = filled;
        NamedPipeServerOptions ours = new() { Name = "x" };
        Assert.Multiple(() =>
        {
            Assert.That((uint)ours.Direction, Is.EqualTo(native.direction));
            Assert.That(ours.MaxInstances, Is.EqualTo(NamedPipeServerOptions.UnlimitedInstances));
            Assert.That(native.max_instances, Is.EqualTo(NativeMethods.NPS_UNLIMITED_INSTANCES));
            Assert.That(ours.FirstInstance, Is.EqualTo(native.flags != 0));
            Assert.That(ours.InBufferSize, Is.EqualTo(native.in_buffer_size));
            Assert.That(ours.OutBufferSize, Is.EqualTo(native.out_buffer_size));
            Assert.That(ours.ReadAhead, Is.EqualTo(native.read_ahead));
            Assert.That(ours.WriteLimit, Is.EqualTo(native.write_limit));
        });
    }

    [Test]
    public void ClientOptions_HaveTheDefaultsOfTheLibrary()
    {
        nps_client_options filled;
        Assert.That(NativeMethods.nps_client_options_init(&filled, (uint)sizeof(nps_client_options)), Is.Zero);
        nps_client_options native = filled;
        NamedPipeClientOptions ours = new() { Name = "x" };
        Assert.Multiple(() =>
        {
            Assert.That((uint)ours.Direction, Is.EqualTo(native.direction));
            Assert.That(ours.Timeout.TotalMilliseconds, Is.EqualTo(native.timeout_ms));
            Assert.That(ours.ReadAhead, Is.EqualTo(native.read_ahead));
            Assert.That(ours.WriteLimit, Is.EqualTo(native.write_limit));
        });
    }

    [Test]
    public void HandleOptions_HaveTheDefaultsOfTheLibrary()
    {
        nps_adopt_options filled;
        Assert.That(NativeMethods.nps_adopt_options_init(&filled, (uint)sizeof(nps_adopt_options)), Is.Zero);
        nps_adopt_options native = filled;
        NamedPipeHandleOptions ours = new();
        Assert.Multiple(() =>
        {
            Assert.That(ours.ReadAhead, Is.EqualTo(native.read_ahead));
            Assert.That(ours.WriteLimit, Is.EqualTo(native.write_limit));
        });
    }

    private static IEnumerable<long> Numbers<T>()
        where T : struct, Enum => Enum.GetValues<T>().Select(value => Convert.ToInt64(value, null));
}
