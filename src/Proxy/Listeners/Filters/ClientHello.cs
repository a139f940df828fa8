using System.Buffers.Binary;
using System.Text;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>What the first bytes of a connection turned out to be.</summary>
internal enum ClientHelloVerdict
{
    NeedMoreBytes,
    NotTls,

    /// <summary>A TLS record that begins a ClientHello, but whose content is broken.</summary>
    Malformed,
    Complete,
}

/// <summary>
/// Reads SNI and ALPN from a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3, RFC 7301 3.1) without consuming it; the message
/// may be spread over several records. Never throws on any bytes.
/// </summary>
internal struct ClientHello
{
    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;
    private const byte Version2Flag = 0x80;
    private const int RecordHeader = 5;

    /// <summary>Type, version and three lengths before the variable parts of an SSL 2.0 hello.</summary>
    private const int Version2Fixed = 9;
    private const int HandshakeHeader = 4;
    private const int ServerNameExtension = 0;
    private const int AlpnExtension = 16;

    public string ServerName { get; private set; }

    public List<string>? ApplicationProtocols { get; private set; }

    /// <summary>Bytes of records and message seen, for the limit.</summary>
    public static ClientHelloVerdict Parse(ReadOnlySpan<byte> data, int limit, out ClientHello hello)
    {
        hello = new ClientHello { ServerName = "" };
        if (data.Length < RecordHeader)
        {
            return ClientHelloVerdict.NeedMoreBytes;
        }
        if ((data[0] & Version2Flag) != 0 && data[2] == ClientHelloMessage && data[3] == 3)
        {
            return ParseVersion2(data);
        }
        if (data[0] != HandshakeRecord || data[1] != 3)
        {
            return ClientHelloVerdict.NotTls;
        }
        return Assemble(data, limit, out var message, out var complete) is { } verdict
            ? verdict
            : !complete ? ClientHelloVerdict.NeedMoreBytes
            : hello.ParseMessage(message) ? ClientHelloVerdict.Complete : ClientHelloVerdict.Malformed;
    }

    // A hello in the form of SSL 2.0, as old clients send it (RFC 5246 E.2): without extensions. BoringSSL's bounds.
    private static ClientHelloVerdict ParseVersion2(ReadOnlySpan<byte> data)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(data) & 0x7fff;
        if (length is < RecordHeader - 2 or > 4096)
        {
            return ClientHelloVerdict.Malformed;
        }
        if (data.Length < 2 + length)
        {
            return ClientHelloVerdict.NeedMoreBytes;
        }
        var message = data.Slice(2, length);
        if (length < Version2Fixed)
        {
            return ClientHelloVerdict.Malformed;
        }
        var variable = BinaryPrimitives.ReadUInt16BigEndian(message[3..]) + BinaryPrimitives.ReadUInt16BigEndian(message[5..])
            + BinaryPrimitives.ReadUInt16BigEndian(message[7..]);
        return variable == length - Version2Fixed ? ClientHelloVerdict.Complete : ClientHelloVerdict.Malformed;
    }

    // Joins the handshake bytes of consecutive records until the message's own length is reached.
    private static ClientHelloVerdict? Assemble(ReadOnlySpan<byte> data, int limit, out ReadOnlySpan<byte> message, out bool complete)
    {
        message = default;
        complete = false;
        byte[]? joined = null;
        ReadOnlySpan<byte> handshake = default;
        while (data.Length >= RecordHeader)
        {
            if (data[0] != HandshakeRecord)
            {
                return ClientHelloVerdict.Malformed;
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(data[3..]);
            if (length is 0 or > 16384 + 256)
            {
                return ClientHelloVerdict.NotTls;
            }
            var available = Math.Min(length, data.Length - RecordHeader);
            var fragment = data.Slice(RecordHeader, available);
            if (handshake.IsEmpty)
            {
                handshake = fragment;
            }
            else
            {
                joined = [.. handshake, .. fragment];
                handshake = joined;
            }
            if (handshake.Length > 0 && handshake[0] != ClientHelloMessage)
            {
                return ClientHelloVerdict.NotTls;
            }
            if (handshake.Length >= HandshakeHeader)
            {
                var size = (handshake[1] << 16) | (handshake[2] << 8) | handshake[3];
                if (size > limit)
                {
                    // The caller sees the limit reached when the bytes come; a length alone decides nothing.
                    return null;
                }
                if (handshake.Length >= HandshakeHeader + size)
                {
                    message = handshake.Slice(HandshakeHeader, size);
                    complete = true;
                    return null;
                }
            }
            if (available < length)
            {
                return null;
            }
            data = data[(RecordHeader + length)..];
        }
        return null;
    }

    private bool ParseMessage(ReadOnlySpan<byte> body)
    {
        // legacy_version, random
        if (!Skip(ref body, 34) || !SkipVector8(ref body) || !SkipVector16(ref body) || !SkipVector8(ref body))
        {
            return false;
        }
        if (body.IsEmpty)
        {
            return true;
        }
        if (!TakeVector16(ref body, out var extensions) || !body.IsEmpty)
        {
            return false;
        }
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 4)
            {
                return false;
            }
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TakeVector16(ref extensions, out var content))
            {
                return false;
            }
            if ((type == ServerNameExtension && !ParseServerName(content)) || (type == AlpnExtension && !ParseAlpn(content)))
            {
                return false;
            }
        }
        return true;
    }

    private bool ParseServerName(ReadOnlySpan<byte> content)
    {
        if (!TakeVector16(ref content, out var names))
        {
            return false;
        }
        while (!names.IsEmpty)
        {
            var type = names[0];
            names = names[1..];
            if (!TakeVector16(ref names, out var name))
            {
                return false;
            }
            if (type == 0 && ServerName.Length == 0)
            {
                ServerName = Encoding.Latin1.GetString(name).ToLowerInvariant();
            }
        }
        return true;
    }

    private bool ParseAlpn(ReadOnlySpan<byte> content)
    {
        if (!TakeVector16(ref content, out var protocols))
        {
            return false;
        }
        ApplicationProtocols = [];
        while (!protocols.IsEmpty)
        {
            var length = protocols[0];
            if (length == 0 || protocols.Length < 1 + length)
            {
                return false;
            }
            ApplicationProtocols.Add(Encoding.Latin1.GetString(protocols.Slice(1, length)));
            protocols = protocols[(1 + length)..];
        }
        return true;
    }

    private static bool Skip(ref ReadOnlySpan<byte> data, int count)
    {
        if (data.Length < count)
        {
            return false;
        }
        data = data[count..];
        return true;
    }

    private static bool SkipVector8(ref ReadOnlySpan<byte> data) => data.Length >= 1 && Skip(ref data, 1 + data[0]);

    private static bool SkipVector16(ref ReadOnlySpan<byte> data) => TakeVector16(ref data, out _);

    private static bool TakeVector16(ref ReadOnlySpan<byte> data, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (data.Length < 2)
        {
            return false;
        }
        var length = BinaryPrimitives.ReadUInt16BigEndian(data);
        if (data.Length < 2 + length)
        {
            return false;
        }
        content = data.Slice(2, length);
        data = data[(2 + length)..];
        return true;
    }
}
