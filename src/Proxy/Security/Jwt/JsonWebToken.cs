using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace MeshProxy.Proxy.Security.Jwt;

/// <summary>A token taken apart (RFC 7519, RFC 7515 compact form); nothing is believed yet. Immutable.</summary>
internal sealed class JsonWebToken
{
    private static readonly HashSet<string> KnownAlgorithms = new(StringComparer.Ordinal)
    {
        "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA",
    };

    private JsonWebToken(JsonElement header, JsonElement payload, byte[] signedBytes, byte[] signature, string encodedPayload)
    {
        Header = header;
        Payload = payload;
        SignedBytes = signedBytes;
        Signature = signature;
        EncodedPayload = encodedPayload;
    }

    public JsonElement Header { get; }

    public JsonElement Payload { get; }

    /// <summary>Base64url without padding, as it came.</summary>
    public string EncodedPayload { get; }

    public byte[] SignedBytes { get; }

    public byte[] Signature { get; }

    public string Algorithm { get; private set; } = "";

    /// <summary>Empty when there is none.</summary>
    public string KeyId { get; private set; } = "";

    public string Issuer { get; private set; } = "";

    public string Subject { get; private set; } = "";

    public IReadOnlyList<string> Audiences { get; private set; } = [];

    /// <summary>Seconds of the epoch; null when absent.</summary>
    public ulong? Expiration { get; private set; }

    public ulong? NotBefore { get; private set; }

    public static JwtStatus Parse(string text, out JsonWebToken token)
    {
        token = null!;
        var sections = text.Split('.', StringSplitOptions.RemoveEmptyEntries);
        if (sections.Length != 3 || text.AsSpan().Count('.') != 2)
        {
            return JwtStatus.BadFormat;
        }
        if (Decode(sections[0]) is not { } headerBytes)
        {
            return JwtStatus.HeaderBadBase64;
        }
        if (ReadObject(headerBytes) is not { } header)
        {
            return JwtStatus.HeaderBadJson;
        }
        if (!header.TryGetProperty("alg", out var algorithm) || algorithm.ValueKind != JsonValueKind.String)
        {
            return JwtStatus.HeaderBadAlgorithm;
        }
        if (!KnownAlgorithms.Contains(algorithm.GetString()!))
        {
            return JwtStatus.HeaderUnknownAlgorithm;
        }
        if (ReadString(header, "kid") is not { } keyId)
        {
            return JwtStatus.HeaderBadKeyId;
        }
        if (Decode(sections[1]) is not { } payloadBytes)
        {
            return JwtStatus.PayloadBadBase64;
        }
        if (ReadObject(payloadBytes) is not { } payload)
        {
            return JwtStatus.PayloadBadJson;
        }
        var signature = Decode(sections[2]);
        var parsed = new JsonWebToken(header, payload, Encoding.ASCII.GetBytes($"{sections[0]}.{sections[1]}"),
            signature ?? [], sections[1]) { Algorithm = algorithm.GetString()!, KeyId = keyId };
        var status = parsed.ReadClaims();
        if (status == JwtStatus.Ok && signature is null)
        {
            status = JwtStatus.SignatureBadBase64;
        }
        token = parsed;
        return status;
    }

    /// <summary>Strict base64url; padding is not part of the compact form. Null when it is not.</summary>
    public static byte[]? Decode(string text)
    {
        if (text.AsSpan().ContainsAny('=', ' ') || text.AsSpan().ContainsAny("\r\n\t"))
        {
            return null;
        }
        try
        {
            return Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private JwtStatus ReadClaims()
    {
        if (ReadString(Payload, "iss") is not { } issuer)
        {
            return JwtStatus.IssuerNotString;
        }
        if (ReadString(Payload, "sub") is not { } subject)
        {
            return JwtStatus.SubjectNotString;
        }
        Issuer = issuer;
        Subject = subject;
        var status = ReadTime("iat", JwtStatus.IssuedAtNotInteger, out _);
        if (status == JwtStatus.Ok)
        {
            status = ReadTime("nbf", JwtStatus.NotBeforeNotInteger, out var notBefore);
            NotBefore = notBefore;
        }
        if (status == JwtStatus.Ok)
        {
            status = ReadTime("exp", JwtStatus.ExpirationNotInteger, out var expiration);
            Expiration = expiration;
        }
        if (status != JwtStatus.Ok)
        {
            return status;
        }
        return ReadString(Payload, "jti") is null ? JwtStatus.IdentifierNotString : ReadAudiences();
    }

    private JwtStatus ReadAudiences()
    {
        if (!Payload.TryGetProperty("aud", out var audience))
        {
            return JwtStatus.Ok;
        }
        if (audience.ValueKind == JsonValueKind.String)
        {
            Audiences = [audience.GetString()!];
            return JwtStatus.Ok;
        }
        if (audience.ValueKind != JsonValueKind.Array)
        {
            return JwtStatus.AudienceNotString;
        }
        var all = new List<string>();
        foreach (var item in audience.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                return JwtStatus.AudienceNotString;
            }
            all.Add(item.GetString()!);
        }
        Audiences = all;
        return JwtStatus.Ok;
    }

    // The status "not positive" follows "not an integer" in the enumeration.
    private JwtStatus ReadTime(string claim, JwtStatus notInteger, out ulong? value)
    {
        value = null;
        if (!Payload.TryGetProperty(claim, out var element))
        {
            return JwtStatus.Ok;
        }
        if (element.ValueKind != JsonValueKind.Number)
        {
            return notInteger;
        }
        var number = element.GetDouble();
        if (number is < 0 or >= ulong.MaxValue)
        {
            return notInteger + 1;
        }
        value = (ulong)number;
        return JwtStatus.Ok;
    }

    // Empty when absent, null when of another type.
    private static string? ReadString(JsonElement from, string name) =>
        !from.TryGetProperty(name, out var value) ? "" : value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? ReadObject(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
