using System.Runtime.InteropServices;

namespace NamedPipeShim.Interop;

/// <summary>
/// Holds a handle for the time of one native call: a Dispose that comes meanwhile takes effect when the call is over.
/// </summary>
/// <remarks>
/// The bindings take raw pointers, and these two calls stand around them. That costs less per call than a
/// SafeHandle in the signature (docs/architecture.md, "Handles in C#"). Native code throws nothing, so no finally is needed
/// between <see cref="Enter"/> and <see cref="Leave"/>; nothing else may stand between them that throws.
/// </remarks>
internal static class HandleUse
{
    /// <summary>Returns the native pointer; throws <see cref="ObjectDisposedException"/> when the handle is
    /// closed.</summary>
    public static nint Enter(SafeHandle handle, string objectName, string? pipeName = null)
    {
        if (handle.IsClosed)
        {
            NativeError.ThrowClosed(objectName, pipeName);
        }

        bool added = false;
        handle.DangerousAddRef(ref added);
        return handle.DangerousGetHandle();
    }

    /// <summary>For closing: a handle that is closed already is nothing to complain about.</summary>
    public static bool TryEnter(SafeHandle handle, out nint pointer)
    {
        bool added = false;
        pointer = 0;
        if (!handle.IsClosed)
        {
            try
            {
                handle.DangerousAddRef(ref added);
                pointer = handle.DangerousGetHandle();
            }
            catch (ObjectDisposedException)
            {
                // Another thread was quicker.
            }
        }

        return added;
    }

    public static void Leave(SafeHandle handle) => handle.DangerousRelease();
}
