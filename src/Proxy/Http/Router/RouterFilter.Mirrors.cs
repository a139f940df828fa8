using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>Copies of requests that go to other clusters beside (upstream 14).</summary>
internal sealed partial class RouterFilter
{
    private List<MirrorStream>? _mirrors;
    private bool _headersOnly;
    private bool _resentStale;

    private IReadOnlyList<MirrorPolicy> Mirrors => Cluster.HttpOptions.Mirrors is { Count: > 0 } own ? own : _action.Mirrors;

    // The copy is taken before the endpoint puts its mark on the headers, and sent once the original is on its way.
    private HeaderMap? PrepareMirrors(bool endStream)
    {
        _headersOnly = endStream;
        if (Mirrors.Count == 0 || config.IsShadow || IsTunnel())
        {
            return null;
        }
        var copy = HeaderMap.Rent();
        copy.CopyFrom(_headers);
        return copy;
    }

    private void StartMirrors(HeaderMap headers, bool endStream)
    {
        foreach (var policy in Mirrors)
        {
            if (!policy.Takes(Callbacks.StreamId) || policy.ClusterFor(headers) is not { Length: > 0 } name
                || config.Clusters.Get(name) is not { } cluster)
            {
                continue;
            }
            var copy = HeaderMap.Rent();
            copy.CopyFrom(headers);
            policy.Mutations.Evaluate(copy, new LogContext(copy, null, null, Info));
            MirrorHost.Apply(copy, policy);
            var mirror = MirrorStream.Start(config.Clusters, cluster, copy, endStream, Timeouts.Global, policy.TraceSampled, Callbacks);
            if (!endStream && mirror is not null)
            {
                (_mirrors ??= []).Add(mirror);
            }
        }
    }

    private bool IsTunnel() => _headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8) || HeaderTokens.IsUpgrade(_headers);

    private void MirrorData(ByteBuffer data, bool endStream)
    {
        if (_mirrors is null)
        {
            return;
        }
        foreach (var mirror in _mirrors)
        {
            mirror.SendData(Copy(data), endStream);
        }
        if (endStream)
        {
            _mirrors = null;
        }
    }

    private void MirrorTrailers(HeaderMap trailers)
    {
        if (_mirrors is null)
        {
            return;
        }
        foreach (var mirror in _mirrors)
        {
            var copy = HeaderMap.Rent();
            copy.CopyFrom(trailers);
            mirror.SendTrailers(copy);
        }
        _mirrors = null;
    }

    // A copy whose original was cut short is cut short too.
    private void StopMirrors()
    {
        if (_mirrors is null)
        {
            return;
        }
        foreach (var mirror in _mirrors)
        {
            mirror.Reset();
        }
        _mirrors = null;
    }
}
