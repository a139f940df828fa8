using System.Runtime.InteropServices;
using System.Text;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Questions to an established session.</summary>
internal static unsafe class TlsSessionFacts
{
    public static string Alpn(nint ssl)
    {
        byte* protocol;
        uint length;
        LibSsl.SSL_get0_alpn_selected(ssl, &protocol, &length);
        var name = new ReadOnlySpan<byte>(protocol, (int)length);
        return name.SequenceEqual("http/1.1"u8) ? "http/1.1"
            : name.SequenceEqual("h2"u8) ? "h2"
            : name.SequenceEqual("istio"u8) ? "istio"
            : Encoding.Latin1.GetString(name);
    }

    public static string ServerName(nint ssl) => Marshal.PtrToStringUTF8(LibSsl.SSL_get_servername(ssl, 0)) ?? "";

    public static int Group(nint ssl) => (int)LibSsl.SSL_ctrl(ssl, OpenSslConstants.CtrlGetNegotiatedGroup, 0, null);

    public static int PeerSignature(nint ssl)
    {
        int type, digest;
        return LibSsl.SSL_get_peer_signature_type_nid(ssl, &type) == 1
            && LibSsl.SSL_ctrl(ssl, OpenSslConstants.CtrlGetPeerSignatureNid, 0, &digest) == 1
            ? TlsNames.SignatureKey(type, digest) : 0;
    }

    public static byte[] SessionId(nint ssl)
    {
        var session = LibSsl.SSL_get_session(ssl);
        if (session == 0)
        {
            return [];
        }
        uint length;
        var bytes = (byte*)LibSsl.SSL_SESSION_get_id(session, &length);
        return new ReadOnlySpan<byte>(bytes, (int)length).ToArray();
    }
}
