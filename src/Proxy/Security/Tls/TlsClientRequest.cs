using System.Text;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>What one client connection asks: the name it sends, the protocols it offers, the names its server must have.</summary>
internal sealed unsafe class TlsClientRequest
{
    private readonly byte[] _alpn;

    public TlsClientRequest(string serverName, byte[] alpn, IReadOnlyList<string> requiredNames)
    {
        ServerName = serverName;
        RequiredNames = requiredNames;
        _alpn = alpn;
        SessionKey = requiredNames.Count == 0 ? serverName : $"{serverName}\n{string.Join('\n', requiredNames)}";
    }

    /// <summary>SNI; empty sends none.</summary>
    public string ServerName { get; }

    public IReadOnlyList<string> RequiredNames { get; }

    /// <summary>Sessions are resumed only for equal demands.</summary>
    public string SessionKey { get; }

    public void Apply(nint ssl, ClientSessions? sessions)
    {
        if (ServerName.Length > 0)
        {
            fixed (byte* name = Encoding.UTF8.GetBytes(ServerName + "\0"))
            {
                LibSsl.SSL_ctrl(ssl, OpenSslConstants.CtrlSetHostName, 0, name);
            }
        }
        if (_alpn.Length > 0)
        {
            fixed (byte* protocols = _alpn)
            {
                LibSsl.SSL_set_alpn_protos(ssl, protocols, (uint)_alpn.Length);
            }
        }
        if (sessions?.Take(SessionKey) is { } session and not 0)
        {
            LibSsl.SSL_set_session(ssl, session);
            LibSsl.SSL_SESSION_free(session);
        }
    }
}
