// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

using System.Runtime.InteropServices;

namespace NamedPipeShim.Generated;

internal static unsafe partial class NativeMethods
{
    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("uint32_t")]
    public static extern uint nps_version();

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("uint32_t")]
    public static extern uint nps_abi_version();

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("const char *")]
    public static extern sbyte* nps_status_name([NativeTypeName("int32_t")] int status);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("const char *")]
    public static extern sbyte* nps_status_text([NativeTypeName("int32_t")] int status);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("const char *")]
    public static extern sbyte* nps_argument_name([NativeTypeName("uint32_t")] uint argument);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_poll_options_init(nps_poll_options* options, [NativeTypeName("uint32_t")] uint size);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_server_options_init(nps_server_options* options, [NativeTypeName("uint32_t")] uint size);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_client_options_init(nps_client_options* options, [NativeTypeName("uint32_t")] uint size);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_adopt_options_init(nps_adopt_options* options, [NativeTypeName("uint32_t")] uint size);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_poll_create([NativeTypeName("const nps_poll_options *")] nps_poll_options* options, nps_poll** poll);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_poll_wait(nps_poll* poll, nps_event* events, [NativeTypeName("uint32_t")] uint capacity, [NativeTypeName("int64_t")] long timeout_ms, [NativeTypeName("uint32_t *")] uint* count);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_poll_wake(nps_poll* poll, [NativeTypeName("uint64_t")] ulong token);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_poll_close(nps_poll* poll);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void nps_poll_release(nps_poll* poll);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_create([NativeTypeName("const nps_server_options *")] nps_server_options* options, nps_pipe** pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_open([NativeTypeName("const nps_client_options *")] nps_client_options* options, nps_pipe** pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_adopt([NativeTypeName("intptr_t")] nint os_handle, [NativeTypeName("const nps_adopt_options *")] nps_adopt_options* options, nps_pipe** pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_export(nps_pipe* pipe, [NativeTypeName("intptr_t *")] nint* os_handle);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_os_handle(nps_pipe* pipe, [NativeTypeName("intptr_t *")] nint* os_handle);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_close(nps_pipe* pipe, [NativeTypeName("int64_t")] long linger_ms);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_abort(nps_pipe* pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    public static extern void nps_pipe_release(nps_pipe* pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_register(nps_pipe* pipe, nps_poll* poll, [NativeTypeName("uint64_t")] ulong token, [NativeTypeName("uint32_t")] uint interest);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_reregister(nps_pipe* pipe, [NativeTypeName("uint64_t")] ulong token, [NativeTypeName("uint32_t")] uint interest);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_deregister(nps_pipe* pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_connect(nps_pipe* pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_disconnect(nps_pipe* pipe, [NativeTypeName("int32_t")] int listen);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_retire(nps_pipe* pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_read(nps_pipe* pipe, void* buffer, [NativeTypeName("size_t")] nuint size, [NativeTypeName("size_t *")] nuint* count);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_write(nps_pipe* pipe, [NativeTypeName("const void *")] void* buffer, [NativeTypeName("size_t")] nuint size, [NativeTypeName("size_t *")] nuint* count);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_read_vector(nps_pipe* pipe, [NativeTypeName("const nps_buffer *")] nps_buffer* buffers, [NativeTypeName("uint32_t")] uint buffer_count, [NativeTypeName("size_t *")] nuint* count);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_write_vector(nps_pipe* pipe, [NativeTypeName("const nps_buffer *")] nps_buffer* buffers, [NativeTypeName("uint32_t")] uint buffer_count, [NativeTypeName("size_t *")] nuint* count);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_flush_state(nps_pipe* pipe, [NativeTypeName("uint64_t *")] ulong* unsent);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_take_error(nps_pipe* pipe, [NativeTypeName("nps_result *")] long* error);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_shutdown(nps_pipe* pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_info(nps_pipe* pipe, nps_info* info);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_peek(nps_pipe* pipe, void* buffer, [NativeTypeName("size_t")] nuint size, [NativeTypeName("size_t *")] nuint* count, [NativeTypeName("uint64_t *")] ulong* available);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_drain_state(nps_pipe* pipe, [NativeTypeName("uint64_t *")] ulong* unread);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_peer_process(nps_pipe* pipe, [NativeTypeName("uint32_t *")] uint* process_id);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_peer_user(nps_pipe* pipe, [NativeTypeName("char *")] sbyte* user, [NativeTypeName("size_t")] nuint size);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_pipe_impersonate(nps_pipe* pipe);

    [DllImport("nps", CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
    [return: NativeTypeName("nps_result")]
    public static extern long nps_revert();

    [NativeTypeName("#define NPS_VERSION 0x000100")]
    public const int NPS_VERSION = 0x000100;

    [NativeTypeName("#define NPS_ABI_VERSION 1")]
    public const int NPS_ABI_VERSION = 1;

    [NativeTypeName("#define NPS_FOREVER (-1)")]
    public const int NPS_FOREVER = (-1);

    [NativeTypeName("#define NPS_UNLIMITED_INSTANCES 255")]
    public const int NPS_UNLIMITED_INSTANCES = 255;

    [NativeTypeName("#define NPS_NO_GROUP 0xFFFFFFFF")]
    public const uint NPS_NO_GROUP = 0xFFFFFFFF;

    [NativeTypeName("#define NPS_MAX_BUFFERS 1024")]
    public const int NPS_MAX_BUFFERS = 1024;

    [NativeTypeName("#define NPS_USER_SIZE 192")]
    public const int NPS_USER_SIZE = 192;
}
