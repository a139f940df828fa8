using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// Sessions that a client context may resume, newest first. Kept by what the connection asked of its server, so that a
/// session proven for one name is never resumed for another. TLS 1.3 sessions are used once (RFC 8446 C.4).
/// </summary>
internal sealed class ClientSessions(uint capacity)
{
    private readonly object _gate = new();
    private readonly List<(string Key, nint Session)> _sessions = [];

    ~ClientSessions()
    {
        foreach (var (_, session) in _sessions)
        {
            LibSsl.SSL_SESSION_free(session);
        }
    }

    /// <summary>Takes over a reference to the session.</summary>
    public void Add(string key, nint session)
    {
        lock (_gate)
        {
            _sessions.Insert(0, (key, session));
            if (_sessions.Count > capacity)
            {
                LibSsl.SSL_SESSION_free(_sessions[^1].Session);
                _sessions.RemoveAt(_sessions.Count - 1);
            }
        }
    }

    /// <summary>A session with a reference of the caller's; 0 when there is none.</summary>
    public nint Take(string key)
    {
        lock (_gate)
        {
            var index = _sessions.FindIndex(s => s.Key == key);
            if (index < 0)
            {
                return 0;
            }
            var session = _sessions[index].Session;
            if (LibSsl.SSL_SESSION_get_protocol_version(session) == OpenSslConstants.Tls13)
            {
                _sessions.RemoveAt(index);
            }
            else
            {
                LibSsl.SSL_SESSION_up_ref(session);
            }
            return session;
        }
    }
}
