using System.Text;

namespace NamedPipeShim.Interop;

/// <summary>Text as the C ABI wants it: UTF-8, NUL-terminated. What C could not see is refused here.</summary>
internal static class Utf8Text
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static byte[]? EncodeOrNull(string? text, string parameterName) =>
        text is null ? null : Encode(text, parameterName);

    public static byte[] Encode(string? text, string parameterName)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, parameterName);
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"{parameterName} must not contain a NUL character.", parameterName);
        }

        try
        {
            byte[] bytes = new byte[s_strict.GetByteCount(text) + 1];
            s_strict.GetBytes(text, bytes);
            return bytes;
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException(
                $"{parameterName} must be valid UTF-16: it contains a lone surrogate.", parameterName, e);
        }
    }
}
