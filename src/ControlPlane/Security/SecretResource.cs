using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Security;

/// <summary>Certificates and authorities as secrets of xDS.</summary>
internal static class SecretResource
{
    public static ServedResource OfCertificate(string name, string chainPem, string keyPem)
    {
        var tls = TlsCertificate.New();
        tls.CertificateChain = Inline(chainPem);
        tls.PrivateKey = Inline(keyPem);
        var secret = Secret.New();
        secret.Name = name;
        secret.TlsCertificate = tls;
        return ServedResource.Of(Any.Pack(secret));
    }

    public static ServedResource OfAuthorities(string name, string pem)
    {
        var validation = CertificateValidationContext.New();
        validation.TrustedCa = Inline(pem);
        var secret = Secret.New();
        secret.Name = name;
        secret.ValidationContext = validation;
        return ServedResource.Of(Any.Pack(secret));
    }

    private static DataSource Inline(string text)
    {
        var source = DataSource.New();
        source.InlineBytes = Encoding.UTF8.GetBytes(text);
        return source;
    }
}
