using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>
/// What a certificate says, from its DER form alone, so that it outlives the session it came with. Everything costly is
/// computed at first use; racing computations give equal results.
/// </summary>
internal sealed unsafe class CertificateFacts
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private const string BasicConstraints = "2.5.29.19";
    private const string KeyUsage = "2.5.29.15";

    private readonly byte[] _publicKeyInfo;
    private readonly byte[] _issuerName;
    private readonly byte[] _subjectName;
    private string? _sha256;
    private string? _sha1;
    private string? _subject;
    private string? _issuer;
    private string? _pem;

    private CertificateFacts(byte[] der)
    {
        Der = der;
        var body = new AsnReader(der, AsnEncodingRules.BER).ReadSequence().ReadSequence();
        if (body.PeekTag() == new Asn1Tag(TagClass.ContextSpecific, 0, true))
        {
            body.ReadEncodedValue();
        }
        Serial = SerialText(body.ReadIntegerBytes().Span);
        body.ReadEncodedValue();
        _issuerName = body.ReadEncodedValue().ToArray();
        var validity = body.ReadSequence();
        NotBefore = ReadTime(validity);
        NotAfter = ReadTime(validity);
        _subjectName = body.ReadEncodedValue().ToArray();
        _publicKeyInfo = body.ReadEncodedValue().ToArray();
        Names = SubjectAltNames.None;
        while (body.HasData)
        {
            if (body.PeekTag() != new Asn1Tag(TagClass.ContextSpecific, 3, true))
            {
                body.ReadEncodedValue();
                continue;
            }
            ReadExtensions(body.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3, true)).ReadSequence());
        }
    }

    public byte[] Der { get; }

    public SubjectAltNames Names { get; private set; }

    /// <summary>Lower-case hexadecimal, whole bytes.</summary>
    public string Serial { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    public bool IsAuthority { get; private set; }

    /// <summary>Absent means every use is allowed.</summary>
    public CertificateUsages? Usages { get; private set; }

    public byte[] Sha256Bytes => SHA256.HashData(Der);

    public string Sha256 => _sha256 ??= Convert.ToHexStringLower(SHA256.HashData(Der));

#pragma warning disable CA5350 // A fingerprint to show and compare by eye (Envoy's FINGERPRINT_1), not a protection.
    public string Sha1 => _sha1 ??= Convert.ToHexStringLower(SHA1.HashData(Der));
#pragma warning restore CA5350

    /// <summary>SHA-256 of the SubjectPublicKeyInfo (verify_certificate_spki).</summary>
    public byte[] PublicKeyDigest => SHA256.HashData(_publicKeyInfo);

    /// <summary>RFC 2253 form.</summary>
    public string Subject => _subject ??= NameText(_subjectName);

    public string Issuer => _issuer ??= NameText(_issuerName);

    /// <summary>PEM with the characters escaped that XFCC and headers cannot carry.</summary>
    public string UrlEncodedPem => _pem ??= EncodePem(Der);

    /// <summary>Null when the bytes are not a certificate that can be read.</summary>
    public static CertificateFacts? Read(byte[] der)
    {
        try
        {
            return new CertificateFacts(der);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    public static CertificateFacts? Read(nint certificate) => Read(OpenSsl.Encode(certificate));

    /// <summary>The subject's common name; empty if none.</summary>
    public string CommonName
    {
        get
        {
            var name = new AsnReader(_subjectName, AsnEncodingRules.BER).ReadSequence();
            while (name.HasData)
            {
                var set = name.ReadSetOf(skipSortOrderValidation: true);
                while (set.HasData)
                {
                    var attribute = set.ReadSequence();
                    if (attribute.ReadObjectIdentifier() == "2.5.4.3")
                    {
                        return SubjectAltNames.ReadText(attribute);
                    }
                }
            }
            return "";
        }
    }

    private void ReadExtensions(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var identifier = extension.ReadObjectIdentifier();
            if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
            {
                extension.ReadBoolean();
            }
            var value = extension.ReadOctetString();
            switch (identifier)
            {
                case SubjectAlternativeName:
                    Names = SubjectAltNames.Read(value);
                    break;
                case BasicConstraints:
                    var constraints = new AsnReader(value, AsnEncodingRules.BER).ReadSequence();
                    IsAuthority = constraints.HasData
                        && constraints.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && constraints.ReadBoolean();
                    break;
                case KeyUsage:
                    var bits = new AsnReader(value, AsnEncodingRules.BER).ReadBitString(out _);
                    Usages = (CertificateUsages)(bits.Length > 0 ? bits[0] : 0);
                    break;
                default:
                    break;
            }
        }
    }

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static string SerialText(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes.TrimStart((byte)0);
        return bytes.IsEmpty ? "0" : Convert.ToHexStringLower(bytes);
    }

    private static string NameText(byte[] encoded)
    {
        nint name;
        fixed (byte* start = encoded)
        {
            var source = start;
            name = LibCrypto.d2i_X509_NAME(0, &source, encoded.Length);
        }
        var memory = LibCrypto.BIO_new(LibCrypto.BIO_s_mem());
        try
        {
            if (name == 0 || LibCrypto.X509_NAME_print_ex(memory, name, 0, OpenSslConstants.NameRfc2253) < 0)
            {
                return "";
            }
            // An escaped byte takes three characters; types are longer than that only for unknown attributes.
            var buffer = new byte[encoded.Length * 8];
            fixed (byte* target = buffer)
            {
                var count = LibCrypto.BIO_read(memory, target, buffer.Length);
                return Encoding.UTF8.GetString(buffer, 0, Math.Max(count, 0));
            }
        }
        finally
        {
            LibCrypto.BIO_free(memory);
            LibCrypto.X509_NAME_free(name);
        }
    }

    private static string EncodePem(byte[] der)
    {
        var pem = PemEncoding.WriteString("CERTIFICATE", der) + "\n";
        var text = new StringBuilder(pem.Length * 5 / 4);
        foreach (var c in pem)
        {
            _ = c switch
            {
                '\n' => text.Append("%0A"),
                ' ' => text.Append("%20"),
                '+' => text.Append("%2B"),
                '/' => text.Append("%2F"),
                '=' => text.Append("%3D"),
                _ => text.Append(c),
            };
        }
        return text.ToString();
    }
}
