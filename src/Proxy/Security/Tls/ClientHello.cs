using System.Buffers.Binary;
using System.Text;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Questions about a client's hello while its callback runs (RFC 8446 4.1.2, RFC 6066 3).</summary>
internal readonly unsafe ref struct ClientHello(nint ssl)
{
    private const ushort EcdsaFamily = 0x03;

    private readonly nint _ssl = ssl;

    public bool OffersTls13
    {
        get
        {
            var versions = Extension(OpenSslConstants.ExtensionSupportedVersions);
            for (var i = 1; i + 1 < versions.Length; i += 2)
            {
                if (BinaryPrimitives.ReadUInt16BigEndian(versions[i..]) == OpenSslConstants.Tls13)
                {
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>As sent; empty if there is none.</summary>
    public string ServerName
    {
        get
        {
            var names = Extension(OpenSslConstants.ExtensionServerName);
            // List length 2, type 1 (host_name), length 2, name.
            if (names.Length < 5 || names[2] != 0)
            {
                return "";
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(names[3..]);
            return names.Length >= 5 + length ? Encoding.ASCII.GetString(names.Slice(5, length)) : "";
        }
    }

    /// <summary>Whether the client can verify an ECDSA certificate on a curve of that many bits.</summary>
    public bool AcceptsEcdsa(int bits)
    {
        var (scheme, group) = bits switch
        {
            <= 256 => ((ushort)0x0403, (ushort)23),
            <= 384 => ((ushort)0x0503, (ushort)24),
            _ => ((ushort)0x0603, (ushort)25),
        };
        if (OffersTls13)
        {
            return Contains(ListOf(OpenSslConstants.ExtensionSignatureAlgorithms), scheme);
        }
        return Contains(ListOf(OpenSslConstants.ExtensionSupportedGroups), group) && SignsEcdsa() && HasEcdsaCipher();
    }

    private bool SignsEcdsa()
    {
        var algorithms = ListOf(OpenSslConstants.ExtensionSignatureAlgorithms);
        for (var i = 0; i + 1 < algorithms.Length; i += 2)
        {
            if (algorithms[i + 1] == EcdsaFamily)
            {
                return true;
            }
        }
        return algorithms.IsEmpty;
    }

    private bool HasEcdsaCipher()
    {
        byte* data;
        var length = (int)LibSsl.SSL_client_hello_get0_ciphers(_ssl, &data);
        var ciphers = new ReadOnlySpan<byte>(data, length);
        for (var i = 0; i + 1 < length; i += 2)
        {
            // ECDHE-ECDSA suites that the server may have: AES-CBC 0xc009/0xc00a, AES-GCM 0xc02b/0xc02c, ChaCha20 0xcca9.
            var cipher = BinaryPrimitives.ReadUInt16BigEndian(ciphers[i..]);
            if (cipher is 0xc009 or 0xc00a or 0xc02b or 0xc02c or 0xcca9)
            {
                return true;
            }
        }
        return false;
    }

    private static bool Contains(ReadOnlySpan<byte> list, ushort wanted)
    {
        for (var i = 0; i + 1 < list.Length; i += 2)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(list[i..]) == wanted)
            {
                return true;
            }
        }
        return false;
    }

    private ReadOnlySpan<byte> ListOf(uint extension)
    {
        var data = Extension(extension);
        return data.Length > 2 ? data[2..] : default;
    }

    private ReadOnlySpan<byte> Extension(uint type)
    {
        byte* data;
        nuint length;
        return LibSsl.SSL_client_hello_get0_ext(_ssl, type, &data, &length) == 1 ? new ReadOnlySpan<byte>(data, (int)length) : default;
    }
}
