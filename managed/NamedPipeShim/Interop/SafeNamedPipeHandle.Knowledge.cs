using System.Runtime.InteropServices;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <content>The questions: none of them waits.</content>
public sealed unsafe partial class SafeNamedPipeHandle
{
    internal NativeResult Info(out nps_info info)
    {
        nps_info known = new() { size = (uint)sizeof(nps_info) };
        long result = NativeMethods.nps_pipe_info(Enter(), &known);
        Leave();
        info = known;
        return result;
    }

    internal NativeResult PeerProcess(out uint processId)
    {
        uint process = 0;
        long result = NativeMethods.nps_pipe_peer_process(Enter(), &process);
        Leave();
        processId = process;
        return result;
    }

    internal NativeResult PeerUser(out string? user)
    {
        sbyte* text = stackalloc sbyte[NativeMethods.NPS_USER_SIZE];
        NativeResult result = NativeMethods.nps_pipe_peer_user(Enter(), text, NativeMethods.NPS_USER_SIZE);
        Leave();
        user = result.Is(nps_status.NPS_OK) ? Marshal.PtrToStringUTF8((nint)text) : null;
        return result;
    }

    internal NativeResult Impersonate()
    {
        long result = NativeMethods.nps_pipe_impersonate(Enter());
        Leave();
        return result;
    }
}
