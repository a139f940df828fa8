using System.Runtime.InteropServices;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Security.Tls.Native;

/// <summary>Loading of the library, and small conversions.</summary>
internal static unsafe class OpenSsl
{
    private static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Loads libssl once; a ConfigurationException when the machine has none, since only a TLS context asks for it.</summary>
    public static void EnsureLoaded() => _ = Loaded.Value;

    public static string Text(nint zeroTerminated) => Marshal.PtrToStringUTF8(zeroTerminated) ?? "";

    public static byte[] Encode(nint certificate)
    {
        var length = LibCrypto.i2d_X509(certificate, null);
        var bytes = new byte[Math.Max(length, 0)];
        fixed (byte* start = bytes)
        {
            var target = start;
            LibCrypto.i2d_X509(certificate, &target);
        }
        return bytes;
    }

    private static bool Load()
    {
        try
        {
            return LibSsl.OPENSSL_init_ssl(OpenSslConstants.InitNoAtExit, 0) == 1;
        }
        catch (DllNotFoundException e)
        {
            throw new ConfigurationException(
                "A TLS context needs OpenSSL 3, and libssl.so.3 cannot be loaded: install the package libssl3.", e);
        }
    }
}
