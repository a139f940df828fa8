using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using MeshProxy.Proxy.Security.Jwt;
using Xunit;

namespace MeshProxy.Proxy.Tests.Security;

/// <summary>Tokens and keys of the RFCs, and what must never pass.</summary>
public sealed class JwtTests
{
    private const string Claims = """{"iss":"https://issuer.test","sub":"ann","aud":["a","b"],"exp":4102444800}""";

    [Fact]
    public void The_symmetric_example_of_RFC_7515_verifies()
    {
        const string Token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
            + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        var keys = Keys("""{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}""");
        Assert.Equal(JwtStatus.Ok, keys.Verify(Parse(Token)));
        Assert.Equal(1300819380UL, Parse(Token).Expiration);
    }

    [Fact]
    public void The_Ed25519_key_of_RFC_8037_verifies_what_it_signed_and_nothing_else()
    {
        var keys = Keys("""{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}""");
        const string Token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
            + ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        // The RFC's payload is no JSON, so the key is asked directly.
        var parts = Token.Split('.');
        var signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        using var verifier = new MeshProxy.Proxy.Security.Tls.Native.Ed25519Verifier(
            Base64Url.DecodeFromChars("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        Assert.True(verifier.Verify(signed, Base64Url.DecodeFromChars(parts[2])));
        signed[0] ^= 1;
        Assert.False(verifier.Verify(signed, Base64Url.DecodeFromChars(parts[2])));
        Assert.Equal(JwtStatus.PayloadBadJson, JsonWebToken.Parse(Token, out _));
        Assert.NotNull(keys);
    }

    [Fact]
    public void A_public_key_is_never_taken_as_a_secret()
    {
        using var rsa = RSA.Create(2048);
        var parameters = rsa.ExportParameters(false);
        var keys = Keys($$"""{"keys":[{"kty":"RSA","n":"{{Encode(parameters.Modulus!)}}","e":"{{Encode(parameters.Exponent!)}}"}]}""");
        var good = Sign("RS256", data => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        var forged = Sign("HS256", data => HMACSHA256.HashData(parameters.Modulus!, data));
        Assert.Equal(JwtStatus.Ok, keys.Verify(Parse(good)));
        Assert.Equal(JwtStatus.VerificationFailed, keys.Verify(Parse(forged)));
    }

    [Theory]
    [InlineData("""{"alg":"none"}""", Claims, JwtStatus.HeaderUnknownAlgorithm)]
    [InlineData("""{"typ":"JWT"}""", Claims, JwtStatus.HeaderBadAlgorithm)]
    [InlineData("""{"alg":"RS256","kid":1}""", Claims, JwtStatus.HeaderBadKeyId)]
    [InlineData("""{"alg":"RS256"}""", "[]", JwtStatus.PayloadBadJson)]
    [InlineData("""{"alg":"RS256"}""", """{"iss":1}""", JwtStatus.IssuerNotString)]
    [InlineData("""{"alg":"RS256"}""", """{"exp":"x"}""", JwtStatus.ExpirationNotInteger)]
    [InlineData("""{"alg":"RS256"}""", """{"exp":-1}""", JwtStatus.ExpirationNotPositive)]
    [InlineData("""{"alg":"RS256"}""", """{"aud":{}}""", JwtStatus.AudienceNotString)]
    public void What_is_malformed_is_named(string header, string claims, object status) =>
        Assert.Equal((JwtStatus)status, JsonWebToken.Parse($"{Encode(header)}.{Encode(claims)}.{Encode("s")}", out _));

    [Theory]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("a.b.")]
    [InlineData("a.b.c.d")]
    public void Other_shapes_are_no_tokens(string text) => Assert.Equal(JwtStatus.BadFormat, JsonWebToken.Parse(text, out _));

    private static JsonWebKeySet Keys(string json)
    {
        Assert.Equal(JwtStatus.Ok, JsonWebKeySet.Parse(Encoding.UTF8.GetBytes(json), out var keys));
        return keys;
    }

    private static JsonWebToken Parse(string text)
    {
        Assert.Equal(JwtStatus.Ok, JsonWebToken.Parse(text, out var token));
        return token;
    }

    private static string Sign(string algorithm, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode($$"""{"alg":"{{algorithm}}"}""")}.{Encode(Claims)}";
        return $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
