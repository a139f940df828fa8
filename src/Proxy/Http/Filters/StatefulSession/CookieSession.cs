using System.Globalization;
using System.Text;
using MeshProxy.Proxy.Http.Router;
using Config = Envoy.Type.Http.V3.Cookie;

namespace MeshProxy.Proxy.Http.Filters.StatefulSession;

/// <summary>envoy.http.stateful_session.cookie: base64 of a small message: 1 is the address, 2 the second it expires at.</summary>
internal sealed class CookieSession : SessionState
{
    private const int AddressTag = (1 << 3) | 2;
    private const int ExpiresTag = 2 << 3;

    private readonly byte[] _name;
    private readonly byte[] _path;
    private readonly long _ttl;
    private readonly string _attributes;

    public CookieSession(Config config)
    {
        _name = Encoding.UTF8.GetBytes(config.Name);
        _path = Encoding.UTF8.GetBytes(config.Path);
        _ttl = (long)(config.Ttl?.TotalSeconds ?? 0);
        var attributes = new StringBuilder();
        if (_ttl > 0)
        {
            attributes.Append(CultureInfo.InvariantCulture, $"; Max-Age={_ttl}");
        }
        if (config.Path.Length > 0)
        {
            attributes.Append("; Path=").Append(config.Path);
        }
        foreach (var attribute in config.Attributes)
        {
            attributes.Append("; ").Append(attribute.Name);
            if (attribute.Value.Length > 0)
            {
                attributes.Append('=').Append(attribute.Value);
            }
        }
        _attributes = attributes.Append("; HttpOnly").ToString();
    }

    // RFC 6265 5.1.4.
    public override bool AppliesTo(ReadOnlySpan<byte> path)
    {
        path = HeaderUtility.PathWithoutQuery(path);
        return _path.Length == 0 || (path.StartsWith(_path)
            && (path.Length == _path.Length || _path[^1] == '/' || path[_path.Length] == '/'));
    }

    public override string? Read(HeaderMap request) =>
        Cookies.TryGet(request, _name, out var value) && Decode(value) is { } message ? Parse(message) : null;

    public override void Write(HeaderMap response, string address)
    {
        var text = Encoding.Latin1.GetBytes(address);
        var message = new List<byte> { AddressTag, (byte)text.Length };
        message.AddRange(text);
        if (_ttl > 0)
        {
            message.Add(ExpiresTag);
            for (var left = (ulong)(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + _ttl); ; left >>= 7)
            {
                message.Add((byte)(left > 0x7F ? (left & 0x7F) | 0x80 : left));
                if (left <= 0x7F)
                {
                    break;
                }
            }
        }
        var cookie = $"{Encoding.UTF8.GetString(_name)}=\"{Convert.ToBase64String([.. message])}\"{_attributes}";
        response.Add(KnownHeader.SetCookie, Encoding.Latin1.GetBytes(cookie));
    }

    private string? Parse(ReadOnlySpan<byte> message)
    {
        string? address = null;
        var expires = 0UL;
        while (message.Length >= 2)
        {
            if (message[0] == AddressTag && message.Length >= 2 + message[1])
            {
                address = Encoding.Latin1.GetString(message.Slice(2, message[1]));
                message = message[(2 + message[1])..];
            }
            else if (message[0] == ExpiresTag)
            {
                var at = 1;
                for (var shift = 0; at < message.Length && shift < 64; shift += 7)
                {
                    var part = message[at++];
                    expires |= (ulong)(part & 0x7F) << shift;
                    if (part < 0x80)
                    {
                        break;
                    }
                }
                message = message[at..];
            }
            else
            {
                return null;
            }
        }
        // A cookie that outlived its time is as none.
        return _ttl > 0 && expires < (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds() ? null : address;
    }
}
