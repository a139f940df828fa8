using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// What OpenSSL calls during a handshake. An exception must not cross native frames: it is kept for the socket, which
/// rethrows it, and the handshake fails.
/// </summary>
internal static unsafe class TlsCallbacks
{
    private static readonly int SslIndex = LibSsl.SSL_get_ex_data_X509_STORE_CTX_idx();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int VerifyPeer(nint store, nint argument)
    {
        var socket = SocketOf(LibCrypto.X509_STORE_CTX_get_ex_data(store, SslIndex));
        try
        {
            return socket.VerifyPeer(store) ? 1 : 0;
        }
        catch (Exception e)
        {
            socket.Fault(e);
            LibCrypto.X509_STORE_CTX_set_error(store, 1);
            return 0;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int ClientHello(nint ssl, int* alert, nint argument)
    {
        var socket = SocketOf(ssl);
        try
        {
            ((ServerTlsContext)socket.Context).OnClientHello(ssl);
            return OpenSslConstants.ClientHelloSuccess;
        }
        catch (Exception e)
        {
            socket.Fault(e);
            *alert = Validation.TlsAlerts.InternalError;
            return 0;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int SelectAlpn(nint ssl, byte** selected, byte* selectedLength, byte* offered, uint offeredLength, nint argument)
    {
        var context = (ServerTlsContext)SocketOf(ssl).Context;
        var at = context.SelectAlpn(new ReadOnlySpan<byte>(offered, (int)offeredLength));
        if (at < 0)
        {
            return OpenSslConstants.AlpnNoAck;
        }
        *selected = offered + at + 1;
        *selectedLength = offered[at];
        return OpenSslConstants.AlpnOk;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int TicketKey(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int encrypt)
    {
        var socket = SocketOf(ssl);
        try
        {
            return ((ServerTlsContext)socket.Context).TicketKeys!.Prepare(name, iv, cipher, mac, encrypt != 0);
        }
        catch (Exception e)
        {
            socket.Fault(e);
            return -1;
        }
    }

    /// <summary>1 keeps the session.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int NewSession(nint ssl, nint session) => SocketOf(ssl).KeepSession(session) ? 1 : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void LogKey(nint ssl, byte* line)
    {
        var socket = SocketOf(ssl);
        try
        {
            socket.LogKey(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(line));
        }
        catch (Exception e)
        {
            socket.Fault(e);
        }
    }

    private static TlsSocket SocketOf(nint ssl) => TlsBio.SocketOf(LibSsl.SSL_get_rbio(ssl));
}
