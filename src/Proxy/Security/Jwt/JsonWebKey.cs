using System.Security.Cryptography;
using System.Text.Json;

namespace MeshProxy.Proxy.Security.Jwt;

/// <summary>One key. What it may verify follows from its type: a token's algorithm never chooses what a key is (RFC 8725 3.1).</summary>
internal abstract class JsonWebKey
{
    private readonly object _gate = new();

    public string KeyId { get; private set; } = "";

    /// <summary>Empty when the key names none.</summary>
    public string Algorithm { get; private set; } = "";

    /// <summary>Null when the key is broken or of a kind that is not known.</summary>
    public static JsonWebKey? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        JsonWebKey? key;
        try
        {
            key = Text(json, "kty") switch
            {
                "RSA" => new RsaKey(Bytes(json, "n"), Bytes(json, "e")),
                "EC" => new EcKey(Text(json, "crv"), Bytes(json, "x"), Bytes(json, "y")),
                "oct" => new SymmetricKey(Bytes(json, "k")),
                "OKP" => new Ed25519Key(Text(json, "crv"), Bytes(json, "x")),
                _ => null,
            };
        }
        catch (Exception broken) when (broken is CryptographicException or FormatException)
        {
            return null;
        }
        if (key is not null)
        {
            key.KeyId = Text(json, "kid");
            key.Algorithm = Text(json, "alg");
        }
        return key;
    }

    public bool Verify(string algorithm, byte[] data, byte[] signature)
    {
        // The runtime does not promise that one key object may be used by several threads at once.
        lock (_gate)
        {
            try
            {
                return VerifyOwn(algorithm, data, signature);
            }
            catch (CryptographicException)
            {
                return false;
            }
        }
    }

    protected abstract bool VerifyOwn(string algorithm, byte[] data, byte[] signature);

    private static HashAlgorithmName Hash(string algorithm) => algorithm[2..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static byte[] Bytes(JsonElement json, string name) => Text(json, name) is { Length: > 0 } text
        ? JsonWebToken.Decode(text.TrimEnd('=')) ?? throw new FormatException($"{name} is not Base64url.")
        : throw new FormatException($"{name} is missing.");

    private sealed class RsaKey : JsonWebKey
    {
        private readonly RSA _rsa;

        public RsaKey(byte[] modulus, byte[] exponent) =>
            _rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });

        protected override bool VerifyOwn(string algorithm, byte[] data, byte[] signature) => algorithm[..2] switch
        {
            "RS" => _rsa.VerifyData(data, signature, Hash(algorithm), RSASignaturePadding.Pkcs1),
            "PS" => _rsa.VerifyData(data, signature, Hash(algorithm), RSASignaturePadding.Pss),
            _ => false,
        };
    }

    private sealed class EcKey : JsonWebKey
    {
        private readonly ECDsa _ec;
        private readonly string _algorithm;

        public EcKey(string curve, byte[] x, byte[] y)
        {
            (var named, _algorithm) = curve switch
            {
                "P-256" => (ECCurve.NamedCurves.nistP256, "ES256"),
                "P-384" => (ECCurve.NamedCurves.nistP384, "ES384"),
                "P-521" => (ECCurve.NamedCurves.nistP521, "ES512"),
                _ => throw new FormatException($"The curve '{curve}' is not known."),
            };
            _ec = ECDsa.Create(new ECParameters { Curve = named, Q = new ECPoint { X = x, Y = y } });
        }

        protected override bool VerifyOwn(string algorithm, byte[] data, byte[] signature) =>
            algorithm == _algorithm && _ec.VerifyData(data, signature, Hash(algorithm), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private sealed class SymmetricKey(byte[] key) : JsonWebKey
    {
        protected override bool VerifyOwn(string algorithm, byte[] data, byte[] signature)
        {
            var expected = algorithm switch
            {
                "HS256" => HMACSHA256.HashData(key, data),
                "HS384" => HMACSHA384.HashData(key, data),
                "HS512" => HMACSHA512.HashData(key, data),
                _ => [],
            };
            return expected.Length > 0 && CryptographicOperations.FixedTimeEquals(expected, signature);
        }
    }

    private sealed class Ed25519Key : JsonWebKey
    {
        private readonly Tls.Native.Ed25519Verifier _verifier;

        public Ed25519Key(string curve, byte[] x) => _verifier = curve == "Ed25519" && x.Length == 32
            ? new Tls.Native.Ed25519Verifier(x) : throw new FormatException($"The curve '{curve}' is not known.");

        protected override bool VerifyOwn(string algorithm, byte[] data, byte[] signature) =>
            algorithm == "EdDSA" && signature.Length == 64 && _verifier.Verify(data, signature);
    }
}
