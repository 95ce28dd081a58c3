using System.Text;

namespace NamedPipeShim.Interop;

/// <summary>A pipe's name as the C ABI wants it: UTF-8, NUL-terminated. What C could not see is refused here.</summary>
internal static class PipeNameEncoder
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static byte[] Encode(string? name, string parameterName)
    {
        ArgumentException.ThrowIfNullOrEmpty(name, parameterName);
        if (name.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A pipe's name must not contain a NUL character.", parameterName);
        }

        try
        {
            byte[] bytes = new byte[s_strict.GetByteCount(name) + 1];
            s_strict.GetBytes(name, bytes);
            return bytes;
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("A pipe's name must be valid UTF-16: it contains a lone surrogate.", parameterName, e);
        }
    }
}
