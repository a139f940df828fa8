using System.Globalization;
using System.Text;
using System.Text.Json;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Jwt;
using Config = Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtProvider;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>What of a verified token is passed on: headers for the application, metadata for later filters.</summary>
internal sealed class JwtOutput
{
    private const string Namespace = "envoy.filters.http.jwt_authn";

    private readonly Config _config;
    private readonly byte[] _payloadHeader;
    private readonly (byte[] Header, string[] Path)[] _claims;
    private readonly HashSet<string> _spaceDelimited;

    public JwtOutput(Config config)
    {
        _config = config;
        _payloadHeader = Encoding.ASCII.GetBytes(config.ForwardPayloadHeader.ToLowerInvariant());
        _claims = [.. config.ClaimToHeaders.Select(static c => (
            Encoding.ASCII.GetBytes(c.HeaderName.ToLowerInvariant()),
            c.ClaimPath.Count > 0 ? c.ClaimPath.Select(static s => s.Key).ToArray() : c.ClaimName.Split('.')))];
        _spaceDelimited = [.. config.NormalizePayloadInMetadata?.SpaceDelimitedClaims ?? default];
    }

    /// <summary>Removes from a request what only this filter may say.</summary>
    public void Sanitize(HeaderMap headers)
    {
        if (_payloadHeader.Length > 0)
        {
            headers.Remove(_payloadHeader);
        }
        foreach (var (header, _) in _claims)
        {
            headers.Remove(header);
        }
    }

    /// <summary>True when the route must be chosen again.</summary>
    public bool Apply(JsonWebToken token, in FoundToken found, HeaderMap headers, DynamicMetadata metadata)
    {
        foreach (var (header, path) in _claims)
        {
            if (Find(token.Payload, path) is { } value && Text(value) is { Length: > 0 } text)
            {
                headers.Set(header, Encoding.UTF8.GetBytes(text));
            }
        }
        if (_payloadHeader.Length > 0)
        {
            var padding = _config.PadForwardPayloadHeader ? (4 - (token.EncodedPayload.Length % 4)) % 4 : 0;
            headers.Add(_payloadHeader, Encoding.ASCII.GetBytes(token.EncodedPayload + new string('=', padding)));
        }
        if (!_config.Forward)
        {
            found.Remove(headers);
        }
        if (_config.PayloadInMetadata.Length > 0)
        {
            metadata.Set(Namespace, _config.PayloadInMetadata, ToStruct(token.Payload, normalise: true));
        }
        if (_config.HeaderInMetadata.Length > 0)
        {
            metadata.Set(Namespace, _config.HeaderInMetadata, ToStruct(token.Header, normalise: false));
        }
        return _config.ClearRouteCache;
    }

    public void NoteFailure(JwtStatus status, DynamicMetadata metadata)
    {
        if (_config.FailedStatusInMetadata.Length > 0)
        {
            metadata.Set(Namespace, _config.FailedStatusInMetadata, new MetadataValue.StructNode(
                new Dictionary<string, MetadataValue>(StringComparer.Ordinal)
                {
                    ["code"] = MetadataValue.From((double)(int)status),
                    ["message"] = MetadataValue.From(JwtStatusText.Of(status)),
                }));
        }
    }

    private MetadataValue.StructNode ToStruct(JsonElement json, bool normalise)
    {
        var fields = new Dictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (var property in json.EnumerateObject())
        {
            fields[property.Name] = normalise && property.Value.ValueKind == JsonValueKind.String && _spaceDelimited.Contains(property.Name)
                ? new MetadataValue.ListNode([.. property.Value.GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(MetadataValue.From)])
                : ToValue(property.Value);
        }
        return new MetadataValue.StructNode(fields);
    }

    private static MetadataValue ToValue(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => MetadataValue.From(json.GetString()!),
        JsonValueKind.Number => MetadataValue.From(json.GetDouble()),
        JsonValueKind.True => MetadataValue.From(true),
        JsonValueKind.False => MetadataValue.From(false),
        JsonValueKind.Array => new MetadataValue.ListNode([.. json.EnumerateArray().Select(ToValue)]),
        JsonValueKind.Object => new MetadataValue.StructNode(json.EnumerateObject().ToDictionary(
            static p => p.Name, static p => ToValue(p.Value), StringComparer.Ordinal)),
        _ => MetadataValue.Null,
    };

    private static JsonElement? Find(JsonElement json, string[] path)
    {
        foreach (var step in path)
        {
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(step, out json))
            {
                return null;
            }
        }
        return json;
    }

    // Numbers as Envoy prints them: whole ones plainly, others with six decimals; what has parts as padded Base64 of its JSON.
    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => value.TryGetInt64(out var whole)
            ? whole.ToString(CultureInfo.InvariantCulture) : value.GetDouble().ToString("F6", CultureInfo.InvariantCulture),
        JsonValueKind.Array or JsonValueKind.Object => Convert.ToBase64String(Encoding.UTF8.GetBytes(Compact(value))),
        _ => null,
    };

    private static string Compact(JsonElement value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            value.WriteTo(writer);
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
