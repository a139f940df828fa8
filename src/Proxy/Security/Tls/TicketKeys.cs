using System.Security.Cryptography;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// Configured session ticket keys: the first encrypts, all decrypt, so that several proxies resume each other's sessions. 80
/// bytes each (Envoy's TlsSessionTicketKeys): name 16, HMAC-SHA256 key 32, AES-256 key 32.
/// </summary>
internal sealed unsafe class TicketKeys
{
    private const int KeyLength = 80;
    private const int NameLength = 16;
    private const int MacKeyOffset = 16;
    private const int CipherKeyOffset = 48;
    private const int MacKeyLength = 32;
    private const int BlockLength = 16;
    private const int OctetString = 5;
    private const int Utf8String = 4;

    private readonly byte[][] _keys;

    public TicketKeys(IEnumerable<byte[]> keys)
    {
        _keys = [.. keys];
        foreach (var key in _keys)
        {
            if (key.Length != KeyLength)
            {
                throw new ConfigurationException(
                    $"Incorrect TLS session ticket key length. Length {key.Length}, expected length {KeyLength}.");
            }
        }
    }

    /// <summary>OpenSSL's contract: 1 use, 2 use and renew (an old key), 0 no such key, -1 error.</summary>
    public int Prepare(byte* name, byte* iv, nint cipher, nint mac, bool encrypt)
    {
        if (encrypt)
        {
            _keys[0].AsSpan(0, NameLength).CopyTo(new Span<byte>(name, NameLength));
            RandomNumberGenerator.Fill(new Span<byte>(iv, BlockLength));
            return Initialize(_keys[0], iv, cipher, mac, true) ? 1 : -1;
        }
        for (var i = 0; i < _keys.Length; i++)
        {
            if (_keys[i].AsSpan(0, NameLength).SequenceEqual(new ReadOnlySpan<byte>(name, NameLength)))
            {
                return Initialize(_keys[i], iv, cipher, mac, false) ? (i == 0 ? 1 : 2) : -1;
            }
        }
        return 0;
    }

    private static bool Initialize(byte[] key, byte* iv, nint cipher, nint mac, bool encrypt)
    {
        fixed (byte* start = key)
        fixed (byte* keyName = "key\0"u8)
        fixed (byte* digestName = "digest\0"u8)
        fixed (byte* digest = "SHA256\0"u8)
        {
            var parameters = stackalloc LibCrypto.OsslParameter[3];
            parameters[0] = new LibCrypto.OsslParameter
            {
                Key = keyName, DataType = OctetString, Data = start + MacKeyOffset, DataSize = MacKeyLength,
            };
            parameters[1] = new LibCrypto.OsslParameter { Key = digestName, DataType = Utf8String, Data = digest, DataSize = 6 };
            parameters[2] = default;
            if (LibCrypto.EVP_MAC_CTX_set_params(mac, parameters) != 1)
            {
                return false;
            }
            return encrypt
                ? LibCrypto.EVP_EncryptInit_ex(cipher, LibCrypto.EVP_aes_256_cbc(), 0, start + CipherKeyOffset, iv) == 1
                : LibCrypto.EVP_DecryptInit_ex(cipher, LibCrypto.EVP_aes_256_cbc(), 0, start + CipherKeyOffset, iv) == 1;
        }
    }
}
