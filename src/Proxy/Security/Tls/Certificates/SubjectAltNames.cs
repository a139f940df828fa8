using System.Formats.Asn1;
using System.Net;
using System.Text;

namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>The subject alternative names of a certificate, by kind, in their order (RFC 5280 4.2.1.6).</summary>
internal sealed class SubjectAltNames
{
    public static readonly SubjectAltNames None = new();

    public IReadOnlyList<string> Uri { get; private init; } = [];

    public IReadOnlyList<string> Dns { get; private init; } = [];

    public IReadOnlyList<string> Ip { get; private init; } = [];

    public IReadOnlyList<string> Email { get; private init; } = [];

    /// <summary>Type and text of otherName entries.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Other { get; private init; } = [];

    public IReadOnlyList<string> OtherValues { get; private init; } = [];

    public bool IsEmpty => Uri.Count + Dns.Count + Ip.Count + Email.Count + Other.Count == 0;

    public static SubjectAltNames Read(ReadOnlyMemory<byte> extension)
    {
        List<string> uri = [], dns = [], ip = [], email = [];
        List<KeyValuePair<string, string>> other = [];
        var names = new AsnReader(extension, AsnEncodingRules.BER).ReadSequence();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            switch (tag.TagValue)
            {
                case 0:
                    ReadOther(names.ReadSequence(tag), other);
                    break;
                case 1:
                    email.Add(Latin(names, tag));
                    break;
                case 2:
                    dns.Add(Latin(names, tag));
                    break;
                case 6:
                    uri.Add(Latin(names, tag));
                    break;
                case 7:
                    var bytes = names.ReadOctetString(tag);
                    if (bytes.Length is 4 or 16)
                    {
                        ip.Add(new IPAddress(bytes).ToString());
                    }
                    break;
                default:
                    names.ReadEncodedValue();
                    break;
            }
        }
        return new SubjectAltNames
        {
            Uri = uri,
            Dns = dns,
            Ip = ip,
            Email = email,
            Other = other,
            OtherValues = other.ConvertAll(static o => o.Value),
        };
    }

    /// <summary>The next value as text, whatever string type it has; other types as hexadecimal, never misread.</summary>
    public static string ReadText(AsnReader reader)
    {
        var tag = reader.PeekTag();
        if (tag.TagClass == TagClass.Universal && IsText((UniversalTagNumber)tag.TagValue))
        {
            return reader.ReadCharacterString((UniversalTagNumber)tag.TagValue);
        }
        return Convert.ToHexStringLower(reader.ReadEncodedValue().Span);
    }

    private static bool IsText(UniversalTagNumber type) => type is UniversalTagNumber.UTF8String
        or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String or UniversalTagNumber.T61String
        or UniversalTagNumber.BMPString or UniversalTagNumber.VisibleString or UniversalTagNumber.NumericString;

    private static void ReadOther(AsnReader entry, List<KeyValuePair<string, string>> other)
    {
        var type = entry.ReadObjectIdentifier();
        var value = entry.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true));
        other.Add(new KeyValuePair<string, string>(type, ReadText(value)));
    }

    // IA5String by standard; read as bytes so that an odd one neither fails nor changes.
    private static string Latin(AsnReader reader, Asn1Tag tag) => Encoding.Latin1.GetString(reader.ReadOctetString(tag));
}
