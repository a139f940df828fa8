using System.Runtime.InteropServices;

namespace MeshProxy.Proxy.Security.Tls.Native;

/// <summary>libcrypto of OpenSSL 3: BIOs, certificates, stores, errors.</summary>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    [LibraryImport(Library)]
    public static partial ulong ERR_get_error();

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();

    [LibraryImport(Library)]
    public static partial nint ERR_reason_error_string(ulong error);

    [LibraryImport(Library)]
    public static partial nint ERR_lib_error_string(ulong error);

    [LibraryImport(Library)]
    public static partial int BIO_get_new_index();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BIO_meth_new(int type, string name);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Library)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, nint, void*, nint> control);

    [LibraryImport(Library)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Library)]
    public static partial int BIO_free(nint bio);

    [LibraryImport(Library)]
    public static partial void BIO_set_data(nint bio, nint data);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial nint BIO_get_data(nint bio);

    [LibraryImport(Library)]
    public static partial void BIO_set_init(nint bio, int init);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial void BIO_clear_flags(nint bio, int flags);

    [LibraryImport(Library)]
    public static partial nint BIO_new_mem_buf(byte* data, int length);

    [LibraryImport(Library)]
    public static partial nint BIO_s_mem();

    [LibraryImport(Library)]
    public static partial int BIO_read(nint bio, byte* data, int length);

    [LibraryImport(Library)]
    public static partial nint PEM_read_bio_X509(nint bio, nint target, nint callback, nint argument);

    [LibraryImport(Library)]
    public static partial nint PEM_read_bio_X509_AUX(nint bio, nint target, nint callback, nint argument);

    [LibraryImport(Library)]
    public static partial nint PEM_read_bio_X509_CRL(nint bio, nint target, nint callback, nint argument);

    [LibraryImport(Library)]
    public static partial nint PEM_read_bio_PrivateKey(
        nint bio, nint target, delegate* unmanaged[Cdecl]<byte*, int, int, nint, int> callback, nint argument);

    [LibraryImport(Library)]
    public static partial nint d2i_X509(nint target, byte** data, nint length);

    [LibraryImport(Library)]
    public static partial int i2d_X509(nint certificate, byte** data);

    [LibraryImport(Library)]
    public static partial int i2d_X509_NAME(nint name, byte** data);

    [LibraryImport(Library)]
    public static partial nint d2i_X509_NAME(nint target, byte** data, nint length);

    [LibraryImport(Library)]
    public static partial void X509_NAME_free(nint name);

    [LibraryImport(Library)]
    public static partial nint X509_NAME_dup(nint name);

    [LibraryImport(Library)]
    public static partial int X509_NAME_print_ex(nint bio, nint name, int indent, ulong flags);

    [LibraryImport(Library)]
    public static partial nint X509_get_subject_name(nint certificate);

    [LibraryImport(Library)]
    public static partial void X509_free(nint certificate);

    [LibraryImport(Library)]
    public static partial void X509_CRL_free(nint list);

    [LibraryImport(Library)]
    public static partial int X509_up_ref(nint certificate);

    [LibraryImport(Library)]
    public static partial int X509_check_private_key(nint certificate, nint key);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_base_id(nint key);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_bits(nint key);

    [LibraryImport(Library)]
    public static partial nint X509_get0_pubkey(nint certificate);

    [LibraryImport(Library)]
    public static partial nint d2i_PKCS12_bio(nint bio, nint target);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int PKCS12_parse(nint bundle, string? password, nint* key, nint* certificate, nint* chain);

    [LibraryImport(Library)]
    public static partial void PKCS12_free(nint bundle);

    [LibraryImport(Library)]
    public static partial nint OPENSSL_sk_new_null();

    [LibraryImport(Library)]
    public static partial int OPENSSL_sk_push(nint stack, nint item);

    [LibraryImport(Library)]
    public static partial int OPENSSL_sk_num(nint stack);

    [LibraryImport(Library)]
    public static partial nint OPENSSL_sk_value(nint stack, int index);

    [LibraryImport(Library)]
    public static partial void OPENSSL_sk_free(nint stack);

    [LibraryImport(Library)]
    public static partial nint X509_STORE_new();

    [LibraryImport(Library)]
    public static partial void X509_STORE_free(nint store);

    [LibraryImport(Library)]
    public static partial int X509_STORE_add_cert(nint store, nint certificate);

    [LibraryImport(Library)]
    public static partial int X509_STORE_add_crl(nint store, nint list);

    [LibraryImport(Library)]
    public static partial int X509_STORE_set_flags(nint store, ulong flags);

    [LibraryImport(Library)]
    public static partial int X509_STORE_set_default_paths(nint store);

    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_new();

    [LibraryImport(Library)]
    public static partial void X509_STORE_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int X509_STORE_CTX_init(nint context, nint store, nint certificate, nint untrusted);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int X509_STORE_CTX_set_default(nint context, string name);

    [LibraryImport(Library)]
    public static partial void X509_STORE_CTX_set_depth(nint context, int depth);

    [LibraryImport(Library)]
    public static partial int X509_verify_cert(nint context);

    [LibraryImport(Library)]
    public static partial int X509_STORE_CTX_get_error(nint context);

    [LibraryImport(Library)]
    public static partial void X509_STORE_CTX_set_error(nint context, int error);

    [LibraryImport(Library)]
    public static partial int X509_STORE_CTX_get_error_depth(nint context);

    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_get0_cert(nint context);

    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_get0_untrusted(nint context);

    [LibraryImport(Library)]
    public static partial nint X509_STORE_CTX_get_ex_data(nint context, int index);

    [LibraryImport(Library)]
    public static partial nint X509_verify_cert_error_string(nint error);

    [LibraryImport(Library)]
    public static partial nint EVP_aes_256_cbc();

    [LibraryImport(Library)]
    public static partial int EVP_EncryptInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv);

    [LibraryImport(Library)]
    public static partial int EVP_DecryptInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_CTX_set_params(nint context, OsslParameter* parameters);

    [LibraryImport(Library)]
    public static partial nint EVP_PKEY_new_raw_public_key(int type, nint engine, byte* key, nuint length);

    [LibraryImport(Library)]
    public static partial nint EVP_MD_CTX_new();

    [LibraryImport(Library)]
    public static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerifyInit(nint context, nint keyContext, nint digest, nint engine, nint key);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerify(nint context, byte* signature, nuint signatureLength, byte* data, nuint length);

    /// <summary>struct OSSL_PARAM (openssl/core.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct OsslParameter
    {
        public byte* Key;
        public uint DataType;
        public void* Data;
        public nuint DataSize;
        public nuint ReturnSize;
    }
}
