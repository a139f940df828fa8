using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace MeshProxy.ControlPlane.Security;

/// <summary>TLS of the server, and what a client's certificate proves.</summary>
internal sealed class ServerTls : IDisposable
{
    private const string AlternativeNames = "2.5.29.17";
    private const string SpiffeScheme = "spiffe://";

    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection? _clientAuthorities;

    /// <exception cref="ControlPlaneException">A file cannot be used.</exception>
    public ServerTls(string certificateFile, string? keyFile, string? clientAuthorityFile)
    {
        try
        {
            _certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile ?? certificateFile);
            if (clientAuthorityFile is null)
                return;
            _clientAuthorities = [];
            _clientAuthorities.ImportFromPemFile(clientAuthorityFile);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ControlPlaneException($"the certificates cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Whether each client has to prove who it is.</summary>
    public bool DemandsIdentity => _clientAuthorities is not null;

    public HttpsConnectionAdapterOptions Options() => new()
    {
        ServerCertificate = _certificate,
        SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateMode = DemandsIdentity ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate,
        ClientCertificateValidation = (certificate, chain, errors) => IsTrusted(certificate, chain, errors),
    };

    /// <summary>The SPIFFE identity of a certificate, or nobody's, which is empty.</summary>
    public static string IdentityOf(X509Certificate2? certificate)
    {
        if (certificate?.Extensions[AlternativeNames] is not { } extension)
            return "";
        var names = new System.Formats.Asn1.AsnReader(extension.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
        // uniformResourceIdentifier [6] of GeneralName (RFC 5280 section 4.2.1.6).
        var uri = new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 6);
        while (names.HasData)
        {
            if (!names.PeekTag().HasSameClassAndValue(uri))
                names.ReadEncodedValue();
            else if (names.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.IA5String, uri) is var name
                && name.StartsWith(SpiffeScheme, StringComparison.Ordinal))
                return name;
        }
        return "";
    }

    public void Dispose() => _certificate.Dispose();

    private bool IsTrusted(X509Certificate2 certificate, X509Chain? received, SslPolicyErrors errors)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_clientAuthorities!);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (received is not null)
            chain.ChainPolicy.ExtraStore.AddRange(received.ChainPolicy.ExtraStore);
        return chain.Build(certificate);
    }
}
