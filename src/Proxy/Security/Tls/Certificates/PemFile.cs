using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>PEM and PKCS 12 texts of the configuration as OpenSSL objects, with Envoy's sentences when they are refused.</summary>
internal static unsafe class PemFile
{
    /// <summary>ERR_LIB_PEM with PEM_R_NO_START_LINE: the regular end of a PEM text.</summary>
    private const ulong NoStartLine = (9UL << 23) | 108;

    private const ulong CodeMask = 0x7fffffff;

    private delegate nint Reader(nint bio);

    /// <summary>All certificates; the caller owns them. A ConfigurationException with <paramref name="error"/> on a damaged block.</summary>
    public static List<nint> ReadCertificates(byte[] pem, string error) => ReadAll(
        pem, static bio => LibCrypto.PEM_read_bio_X509_AUX(bio, 0, 0, 0), LibCrypto.X509_free, error);

    public static List<nint> ReadRevocationLists(byte[] pem, string error) => ReadAll(
        pem, static bio => LibCrypto.PEM_read_bio_X509_CRL(bio, 0, 0, 0), LibCrypto.X509_CRL_free, error);

    /// <summary>A certificate chain with its private key; refuses a key of another certificate.</summary>
    public static CertificateHandles ReadPair(
        byte[] chain, string chainPath, byte[] key, string keyPath, byte[]? password)
    {
        var chainError = $"Failed to load certificate chain from {chainPath}";
        var certificates = ReadCertificates(chain, chainError);
        if (certificates.Count == 0)
        {
            throw new ConfigurationException(chainError);
        }
        var privateKey = ReadKey(key, password);
        var rest = LibCrypto.OPENSSL_sk_new_null();
        for (var i = 1; i < certificates.Count; i++)
        {
            LibCrypto.OPENSSL_sk_push(rest, certificates[i]);
        }
        var handles = new CertificateHandles(certificates[0], privateKey, rest);
        var reason = LastReason();
        if (privateKey == 0)
        {
            handles.Dispose();
            throw new ConfigurationException($"Failed to load private key from {keyPath}, Cause: {reason}");
        }
        CheckPair(handles, keyPath);
        return handles;
    }

    /// <summary>A PKCS 12 bundle with certificate, key and chain.</summary>
    public static CertificateHandles ReadBundle(byte[] data, string path, string? password)
    {
        nint key = 0, certificate = 0, chain = 0;
        fixed (byte* start = data)
        {
            var bio = LibCrypto.BIO_new_mem_buf(start, data.Length);
            var bundle = LibCrypto.d2i_PKCS12_bio(bio, 0);
            var parsed = bundle != 0 && LibCrypto.PKCS12_parse(bundle, password, &key, &certificate, &chain) == 1;
            LibCrypto.PKCS12_free(bundle);
            LibCrypto.BIO_free(bio);
            if (!parsed || certificate == 0 || key == 0)
            {
                LibCrypto.ERR_clear_error();
                throw new ConfigurationException($"Failed to load pkcs12 from {path}");
            }
        }
        var handles = new CertificateHandles(certificate, key, chain == 0 ? LibCrypto.OPENSSL_sk_new_null() : chain);
        CheckPair(handles, path);
        return handles;
    }

    private static void CheckPair(CertificateHandles handles, string path)
    {
        if (LibCrypto.X509_check_private_key(handles.Certificate, handles.Key) == 1)
        {
            return;
        }
        handles.Dispose();
        LibCrypto.ERR_clear_error();
        throw new ConfigurationException($"Failed to load private key from {path}, Cause: KEY_VALUES_MISMATCH");
    }

    private static nint ReadKey(byte[] pem, byte[]? password)
    {
        LibCrypto.ERR_clear_error();
        var handle = GCHandle.Alloc(password ?? []);
        try
        {
            fixed (byte* start = pem)
            {
                var bio = LibCrypto.BIO_new_mem_buf(start, pem.Length);
                var key = LibCrypto.PEM_read_bio_PrivateKey(bio, 0, &GivePassword, GCHandle.ToIntPtr(handle));
                LibCrypto.BIO_free(bio);
                return key;
            }
        }
        finally
        {
            handle.Free();
        }
    }

    // Without a callback OpenSSL would ask on the terminal.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int GivePassword(byte* buffer, int size, int forWriting, nint argument)
    {
        var password = (byte[])GCHandle.FromIntPtr(argument).Target!;
        if (password.Length > size || password.Length == 0)
        {
            return -1;
        }
        password.CopyTo(new Span<byte>(buffer, size));
        return password.Length;
    }

    private static List<nint> ReadAll(byte[] pem, Reader read, Action<nint> free, string error)
    {
        var items = new List<nint>();
        LibCrypto.ERR_clear_error();
        fixed (byte* start = pem)
        {
            var bio = LibCrypto.BIO_new_mem_buf(start, pem.Length);
            while (read(bio) is var item and not 0)
            {
                items.Add(item);
            }
            LibCrypto.BIO_free(bio);
        }
        if (pem.Length == 0 || (LibCrypto.ERR_get_error() & CodeMask) == NoStartLine)
        {
            LibCrypto.ERR_clear_error();
            return items;
        }
        LibCrypto.ERR_clear_error();
        items.ForEach(free);
        throw new ConfigurationException(error);
    }

    private static string LastReason()
    {
        var error = LibCrypto.ERR_get_error();
        LibCrypto.ERR_clear_error();
        return error == 0 ? "" : OpenSsl.Text(LibCrypto.ERR_reason_error_string(error)).ToUpperInvariant().Replace(' ', '_');
    }
}
