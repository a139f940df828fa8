using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>Headers that are sent with each entry when they are there (additional_…_to_log); several of a name are joined.</summary>
internal sealed class LoggedHeaders
{
    private readonly (string Name, byte[] Bytes)[] _names;

    public LoggedHeaders(IReadOnlyList<string> names)
    {
        _names = new (string, byte[])[names.Count];
        for (var i = 0; i < _names.Length; i++)
        {
            var name = names[i].ToLowerInvariant();
            _names[i] = (name, Encoding.Latin1.GetBytes(name));
        }
    }

    public void AddTo(StringMap logged, HeaderMap? headers)
    {
        if (headers is null)
        {
            return;
        }
        foreach (var (name, bytes) in _names)
        {
            if (headers.GetJoined(bytes) is { } value)
            {
                logged.Set(name, value);
            }
        }
    }
}
