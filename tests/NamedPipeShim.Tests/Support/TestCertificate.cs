using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NamedPipeShim.Tests.Support;

/// <summary>Makes certificates for a test: signed by themselves, and known to nobody else.</summary>
internal static class TestCertificate
{
    /// <summary>Why nothing with TLS is run under Wine 8. "TCP" was tried with a certificate that was made elsewhere.</summary>
    public const string NoTlsUnderWine = "Wine makes no key for a certificate, and its TLS fails over TCP too";

    /// <param name="name">The host, or the person.</param>
    public static X509Certificate2 New(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));

        // Windows' TLS takes no certificate whose key lives in this object alone.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), password: null);
    }
}
