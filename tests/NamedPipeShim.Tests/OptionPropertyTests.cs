using System.IO.Pipes;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Principal;
using NamedPipeShim.Generated;
using NamedPipeShim.Interop;

namespace NamedPipeShim.Tests;

/// <summary>O2: options are independent. The setters that reset each other (RUSTSEC-2023-0001) are these tests' reason.</summary>
internal sealed class OptionPropertyTests
{
    private const int Rounds = 2_000;

    private static readonly TimeSpan[] s_times = [TimeSpan.Zero, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(3)];

    [Test]
    [Category("O2")]
    public void Rustsec20230001_ServerOptions_SetInAnyOrder_GiveTheSameNativeStruct([Values(1, 2, 3)] int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < Rounds; round++)
        {
            int access = random.Next(4);
            Action<NamedPipeServerOptions>[] setters =
            [
                Set<PipeDirection>(random.Next(1, 4), (o, v) => o.Direction = v),
                Set<PipeMode>(random.Next(2), (o, v) => o.Mode = v),
                Set<HandleInheritability>(random.Next(2), (o, v) => o.Inheritability = v),
                With(random.Next(1, 255), (o, v) => o.MaxInstances = v),
                With(random.Next(2) == 0, (o, v) => o.FirstInstance = v),
                With(random.Next(2) == 0, (o, v) => o.AllowRemoteClients = v),
                With(random.Next(100_000), (o, v) => o.InBufferSize = v),
                With(random.Next(100_000), (o, v) => o.OutBufferSize = v),
                With(random.Next(100_000), (o, v) => o.ReadAhead = v),
                With(random.Next(1, 100_000), (o, v) => o.WriteLimit = v),
                With(s_times[random.Next(s_times.Length)], (o, v) => o.DefaultTimeout = v),
                With(access == 1, (o, v) => o.CurrentElevationOnly = v),
                With(access == 2 ? "D:(A;;FA;;;OW)" : null, (o, v) => o.SecurityDescriptor = v),
                With(access == 3 ? (UnixFileMode?)random.Next(1, 512) : null, (o, v) => o.UnixFileMode = v),
                With(access == 3 ? (uint?)random.Next(1, 99) : null, (o, v) => o.UnixGroup = v),
            ];
            byte[] expected = Native(setters);
            random.Shuffle(setters);
            Assert.That(Native(setters), Is.EqualTo(expected), $"round {round}");
        }

        static Action<NamedPipeServerOptions> With<T>(T value, Action<NamedPipeServerOptions, T> set) => o => set(o, value);
        static Action<NamedPipeServerOptions> Set<T>(int value, Action<NamedPipeServerOptions, T> set)
            where T : struct, Enum => With((T)Enum.ToObject(typeof(T), value), set);
        static byte[] Native(Action<NamedPipeServerOptions>[] setters)
        {
            NamedPipeServerOptions options = new() { Name = "a" };
            Array.ForEach(setters, set => set(options));
            return Bytes(NativeOptions.From(options));
        }
    }

    [Test]
    [Category("O2")]
    public void ClientOptions_SetInAnyOrder_GiveTheSameNativeStruct([Values(1, 2, 3)] int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < Rounds; round++)
        {
            Action<NamedPipeClientOptions>[] setters =
            [
                With((PipeDirection)random.Next(1, 4), (o, v) => o.Direction = v),
                With((PipeMode)random.Next(2), (o, v) => o.Mode = v),
                With((HandleInheritability)random.Next(2), (o, v) => o.Inheritability = v),
                With((PipeServerOwner)random.Next(3), (o, v) => o.ServerOwner = v),
                With((TokenImpersonationLevel)random.Next(1, 5), (o, v) => o.ImpersonationLevel = v),
                With(s_times[random.Next(s_times.Length)], (o, v) => o.Timeout = v),
                With(random.Next(100_000), (o, v) => o.ReadAhead = v),
                With(random.Next(1, 100_000), (o, v) => o.WriteLimit = v),
            ];
            byte[] expected = Native(setters);
            random.Shuffle(setters);
            Assert.That(Native(setters), Is.EqualTo(expected), $"round {round}");
        }

        static Action<NamedPipeClientOptions> With<T>(T value, Action<NamedPipeClientOptions, T> set) => o => set(o, value);
        static byte[] Native(Action<NamedPipeClientOptions>[] setters)
        {
            NamedPipeClientOptions options = new() { Name = "a" };
            Array.ForEach(setters, set => set(options));
            return Bytes(NativeOptions.From(options));
        }
    }

    [Test]
    [Category("O2")]
    public void EachServerOption_ChangesItsOwnFieldsAlone()
    {
        Check(o => o.Direction = PipeDirection.In, nameof(nps_server_options.direction));
        Check(o => o.Mode = PipeMode.Message, nameof(nps_server_options.mode));
        Check(o => o.MaxInstances = 7, nameof(nps_server_options.max_instances));
        Check(o => o.FirstInstance = true, nameof(nps_server_options.flags));
        Check(o => o.Inheritability = HandleInheritability.Inheritable, nameof(nps_server_options.flags));
        Check(o => o.AllowRemoteClients = true, nameof(nps_server_options.flags));
        Check(o => o.InBufferSize = 7, nameof(nps_server_options.in_buffer_size));
        Check(o => o.OutBufferSize = 7, nameof(nps_server_options.out_buffer_size));
        Check(o => o.ReadAhead = 7, nameof(nps_server_options.read_ahead));
        Check(o => o.WriteLimit = 7, nameof(nps_server_options.write_limit));
        Check(o => o.DefaultTimeout = TimeSpan.FromTicks(1), nameof(nps_server_options.default_timeout_ms));
        Check(o => o.CurrentElevationOnly = true, nameof(nps_server_options.security));
        Check(o => o.SecurityDescriptor = "D:", nameof(nps_server_options.security));
        Check(
            o => o.UnixFileMode = UnixFileMode.UserWrite,
            nameof(nps_server_options.security),
            nameof(nps_server_options.file_mode));
        Check(
            o => (o.UnixFileMode, o.UnixGroup) = (UnixFileMode.UserWrite, 5),
            nameof(nps_server_options.security),
            nameof(nps_server_options.file_mode),
            nameof(nps_server_options.file_group));

        static void Check(Action<NamedPipeServerOptions> set, params string[] fields)
        {
            NamedPipeServerOptions options = new() { Name = "a" };
            nps_server_options before = NativeOptions.From(options);
            set(options);
            Assert.That(Changed(before, NativeOptions.From(options)), Is.EquivalentTo(fields));
        }
    }

    [Test]
    [Category("O2")]
    [Category("K3")]
    public void EachClientOption_ChangesItsOwnFieldsAlone()
    {
        Check(o => o.Direction = PipeDirection.In, nameof(nps_client_options.direction));
        Check(o => o.Mode = PipeMode.Message, nameof(nps_client_options.mode));
        Check(o => o.Timeout = TimeSpan.FromSeconds(1), nameof(nps_client_options.timeout_ms));
        Check(o => o.ReadAhead = 7, nameof(nps_client_options.read_ahead));
        Check(o => o.WriteLimit = 7, nameof(nps_client_options.write_limit));
        Check(o => o.Inheritability = HandleInheritability.Inheritable, nameof(nps_client_options.flags));
        Check(o => o.ServerOwner = PipeServerOwner.CurrentUser, nameof(nps_client_options.flags));
        Check(o => o.ServerOwner = PipeServerOwner.Anyone, nameof(nps_client_options.flags));
        Check(o => o.ImpersonationLevel = TokenImpersonationLevel.Anonymous, nameof(nps_client_options.impersonation));
        Check(o => o.ImpersonationLevel = TokenImpersonationLevel.Impersonation, nameof(nps_client_options.impersonation));
        Check(o => o.ImpersonationLevel = TokenImpersonationLevel.Delegation, nameof(nps_client_options.impersonation));
        Check(o => o.ImpersonationLevel = TokenImpersonationLevel.Identification);
        Check(o => o.ServerName = ".");

        static void Check(Action<NamedPipeClientOptions> set, params string[] fields)
        {
            NamedPipeClientOptions options = new() { Name = "a" };
            nps_client_options before = NativeOptions.From(options);
            Assert.That(before.impersonation, Is.EqualTo((uint)nps_impersonation.NPS_IMPERSONATION_IDENTIFICATION));
            set(options);
            Assert.That(Changed(before, NativeOptions.From(options)), Is.EquivalentTo(fields));
        }
    }

    private static byte[] Bytes<T>(T native)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in native)).ToArray();

    /// <summary>The fields in which two structs differ; strings are set by those who pin them.</summary>
    private static IEnumerable<string> Changed<T>(T before, T after)
        where T : unmanaged =>
        typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public)
            .Where(field => !field.FieldType.IsPointer && !Equals(field.GetValue(before), field.GetValue(after)))
            .Select(field => field.Name);
}
