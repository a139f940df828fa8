using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// OpenSSL's way to the connection's bytes: a BIO whose reads and writes are the socket's own, so that bytes pushed back by
/// listener filters and in-memory connections work alike, and many records leave in one system call.
/// </summary>
internal static unsafe class TlsBio
{
    private const int ControlEof = 2;

    private static readonly nint Method = MakeMethod();

    /// <summary>A BIO for one session, which frees it.</summary>
    /// <param name="socket">A GCHandle of the <see cref="TlsSocket"/>, good for as long as the session.</param>
    public static nint Create(nint socket)
    {
        var bio = LibCrypto.BIO_new(Method);
        LibCrypto.BIO_set_data(bio, socket);
        LibCrypto.BIO_set_init(bio, 1);
        return bio;
    }

    public static TlsSocket SocketOf(nint bio) =>
        Unsafe.As<TlsSocket>(GCHandle.FromIntPtr(LibCrypto.BIO_get_data(bio)).Target!);

    private static nint MakeMethod()
    {
        var method = LibCrypto.BIO_meth_new(LibCrypto.BIO_get_new_index() | OpenSslConstants.BioTypeSourceSink, "meshproxy");
        LibCrypto.BIO_meth_set_read(method, &Read);
        LibCrypto.BIO_meth_set_write(method, &Write);
        LibCrypto.BIO_meth_set_ctrl(method, &Control);
        return method;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* buffer, int length)
    {
        LibCrypto.BIO_clear_flags(bio, OpenSslConstants.BioFlagsRetryMask);
        try
        {
            var count = SocketOf(bio).ReadRaw(new Span<byte>(buffer, length));
            if (count == -Transport.IIoHandle.Again)
            {
                LibCrypto.BIO_set_flags(bio, OpenSslConstants.BioFlagRead | OpenSslConstants.BioFlagShouldRetry);
            }
            return count < 0 ? -1 : count;
        }
        catch (Exception e)
        {
            SocketOf(bio).Fault(e);
            return -1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* buffer, int length)
    {
        LibCrypto.BIO_clear_flags(bio, OpenSslConstants.BioFlagsRetryMask);
        try
        {
            SocketOf(bio).WriteRaw(new ReadOnlySpan<byte>(buffer, length));
            return length;
        }
        catch (Exception e)
        {
            SocketOf(bio).Fault(e);
            return -1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Control(nint bio, int command, nint number, void* pointer) => command switch
    {
        OpenSslConstants.BioCtrlFlush => 1,
        ControlEof => SocketOf(bio).PeerEnded ? 1 : 0,
        _ => 0,
    };
}
