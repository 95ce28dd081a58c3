using System.Security.Principal;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>
/// The options as the C ABI wants them. Each field comes of one option, whatever the others are (contract O2); strings are
/// pinned, and set, by those who call.
/// </summary>
internal static unsafe class NativeOptions
{
    public static nps_server_options From(NamedPipeServerOptions options)
    {
        NativeLibraryCheck.Ensure();
        nps_server_options native;
        NativeError.ThrowIfError(
            NativeMethods.nps_server_options_init(&native, (uint)sizeof(nps_server_options)), nameof(NamedPipe));
        native.direction = (uint)options.Direction;
        native.mode = (uint)options.Mode;
        native.max_instances = options.MaxInstances == NamedPipeServerOptions.UnlimitedInstances
            ? (uint)NativeMethods.NPS_UNLIMITED_INSTANCES
            : (uint)options.MaxInstances;
        native.flags = Flag(options.FirstInstance, nps_server_flags.NPS_SERVER_FIRST_INSTANCE)
            | Flag(options.Inheritability == HandleInheritability.Inheritable, nps_server_flags.NPS_SERVER_INHERITABLE)
            | Flag(options.AllowRemoteClients, nps_server_flags.NPS_SERVER_REMOTE_CLIENTS);
        native.in_buffer_size = (uint)options.InBufferSize;
        native.out_buffer_size = (uint)options.OutBufferSize;
        native.read_ahead = (uint)options.ReadAhead;
        native.write_limit = (uint)options.WriteLimit;
        native.default_timeout_ms = (uint)Milliseconds.From(options.DefaultTimeout, nameof(options.DefaultTimeout));
        native.security = (uint)SecurityOf(options);
        native.file_mode = (uint)(options.UnixFileMode ?? UnixFileMode.None);
        native.file_group = options.UnixGroup ?? NativeMethods.NPS_NO_GROUP;
        return native;
    }

    public static nps_client_options From(NamedPipeClientOptions options)
    {
        NativeLibraryCheck.Ensure();
        nps_client_options native;
        NativeError.ThrowIfError(
            NativeMethods.nps_client_options_init(&native, (uint)sizeof(nps_client_options)), nameof(NamedPipe));
        native.direction = (uint)options.Direction;
        native.mode = (uint)options.Mode;
        native.timeout_ms = Milliseconds.From(options.Timeout, nameof(options.Timeout));
        native.flags = (options.Inheritability == HandleInheritability.Inheritable
                ? (uint)nps_client_flags.NPS_CLIENT_INHERITABLE
                : 0)
            | options.ServerOwner switch
            {
                PipeServerOwner.CurrentUser => (uint)nps_client_flags.NPS_CLIENT_CURRENT_USER,
                PipeServerOwner.Anyone => (uint)nps_client_flags.NPS_CLIENT_ANY_USER,
                _ => 0,
            };
        native.read_ahead = (uint)options.ReadAhead;
        native.write_limit = (uint)options.WriteLimit;
        native.impersonation = (uint)(options.ImpersonationLevel switch
        {
            TokenImpersonationLevel.Anonymous => nps_impersonation.NPS_IMPERSONATION_ANONYMOUS,
            TokenImpersonationLevel.Impersonation => nps_impersonation.NPS_IMPERSONATION_FULL,
            TokenImpersonationLevel.Delegation => nps_impersonation.NPS_IMPERSONATION_DELEGATION,
            _ => nps_impersonation.NPS_IMPERSONATION_IDENTIFICATION,
        });
        return native;
    }

    public static nps_adopt_options From(NamedPipeHandleOptions? options)
    {
        NativeLibraryCheck.Ensure();
        nps_adopt_options native;
        NativeError.ThrowIfError(
            NativeMethods.nps_adopt_options_init(&native, (uint)sizeof(nps_adopt_options)), nameof(NamedPipe));
        if (options is not null)
        {
            native.read_ahead = (uint)options.ReadAhead;
            native.write_limit = (uint)options.WriteLimit;
        }

        return native;
    }

    /// <summary>An option that was set and that the other system alone has; null: there is none.</summary>
    public static string? OfTheOtherSystem(NamedPipeServerOptions options) =>
        OperatingSystem.IsWindows()
            ? options.UnixFileMode is not null ? nameof(options.UnixFileMode) : null
            : options.SecurityDescriptor is not null ? nameof(options.SecurityDescriptor)
            : options.AllowRemoteClients ? nameof(options.AllowRemoteClients)
            : options.DefaultTimeout != TimeSpan.Zero ? nameof(options.DefaultTimeout)
            : null;

    /// <inheritdoc cref="OfTheOtherSystem(NamedPipeServerOptions)"/>
    public static string? OfTheOtherSystem(NamedPipeClientOptions options) =>
        OperatingSystem.IsWindows() ? null
            : options.ServerName != "." ? nameof(options.ServerName)
            : options.ImpersonationLevel != TokenImpersonationLevel.Identification ? nameof(options.ImpersonationLevel)
            : null;

    /// <summary>Whoever may connect is said in one way; two at once would leave open which counts.</summary>
    private static nps_security SecurityOf(NamedPipeServerOptions options)
    {
        bool descriptor = options.SecurityDescriptor is not null;
        bool fileMode = options.UnixFileMode is not null;
        if (options.CurrentElevationOnly && (descriptor || fileMode))
        {
            throw Contradiction(
                nameof(options.CurrentElevationOnly), descriptor ? nameof(options.SecurityDescriptor) : nameof(options.UnixFileMode));
        }

        if (fileMode && descriptor)
        {
            throw Contradiction(nameof(options.UnixFileMode), nameof(options.SecurityDescriptor));
        }

        if (options.UnixGroup is not null && !fileMode)
        {
            throw Refusal(nameof(options.UnixGroup), "UnixGroup is the group that a UnixFileMode speaks of: set that, too.");
        }

        return descriptor ? nps_security.NPS_SECURITY_DESCRIPTOR
            : fileMode ? nps_security.NPS_SECURITY_FILE_MODE
            : options.CurrentElevationOnly ? nps_security.NPS_SECURITY_CURRENT_ELEVATION
            : nps_security.NPS_SECURITY_CURRENT_USER;
    }

    private static ArgumentException Contradiction(string option, string other) =>
        Refusal(option, $"{option} and {other} both say who may connect: set one of them.");

    private static ArgumentException Refusal(string option, string message) => new(message, option);

    private static uint Flag(bool isSet, nps_server_flags flag) => isSet ? (uint)flag : 0;
}
