using System.Text.Json;

namespace MeshProxy.Proxy.Security.Jwt;

/// <summary>Public keys of an issuer (RFC 7517); keys of unknown kinds are left out. Immutable.</summary>
internal sealed class JsonWebKeySet
{
    private readonly JsonWebKey[] _keys;

    private JsonWebKeySet(JsonWebKey[] keys) => _keys = keys;

    public static JwtStatus Parse(ReadOnlyMemory<byte> json, out JsonWebKeySet set)
    {
        set = null!;
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
            {
                return JwtStatus.NoKeys;
            }
            var usable = new List<JsonWebKey>();
            foreach (var key in keys.EnumerateArray())
            {
                if (JsonWebKey.Read(key) is { } known)
                {
                    usable.Add(known);
                }
            }
            set = new JsonWebKeySet([.. usable]);
            return usable.Count > 0 ? JwtStatus.Ok : JwtStatus.NoValidKeys;
        }
        catch (JsonException)
        {
            return JwtStatus.KeysNotJson;
        }
    }

    /// <summary>Every key that may have signed is tried: those of the token's key id, or all when either side names none.</summary>
    public JwtStatus Verify(JsonWebToken token)
    {
        var matched = false;
        foreach (var key in _keys)
        {
            if ((token.KeyId.Length > 0 && key.KeyId.Length > 0 && key.KeyId != token.KeyId)
                || (key.Algorithm.Length > 0 && key.Algorithm != token.Algorithm))
            {
                continue;
            }
            matched = true;
            if (key.Verify(token.Algorithm, token.SignedBytes, token.Signature))
            {
                return JwtStatus.Ok;
            }
        }
        return matched ? JwtStatus.VerificationFailed : JwtStatus.NoMatchingKey;
    }
}
