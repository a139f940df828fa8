using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Upstream;
using GrpcService = Envoy.Config.Core.V3.GrpcService;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Streams to the cluster of a gRPC service.</summary>
internal sealed class ClusterStreams : IDiscoveryStreams
{
    private readonly Func<IClusterManager> _clusters;
    private readonly string _cluster;
    private readonly string _authority;
    private readonly AsyncRequestOptions _options;
    private readonly List<(string Name, string Value)> _metadata = [];

    /// <param name="clusters">Asked when a stream is opened: the manager is made after those who subscribe.</param>
    /// <exception cref="ConfigurationException">It is not a service of a cluster.</exception>
    public ClusterStreams(GrpcService service, Func<IClusterManager> clusters)
    {
        if (service.EnvoyGrpcValue is not { } grpc)
        {
            throw new ConfigurationException("grpc_services: only envoy_grpc is served; google_grpc has no counterpart here, name a cluster instead.");
        }
        _clusters = clusters;
        _cluster = grpc.ClusterName;
        _authority = grpc.Authority.Length > 0 ? grpc.Authority : grpc.ClusterName;
        _options = new AsyncRequestOptions { SendInternalHeaders = !grpc.SkipEnvoyHeaders };
        foreach (var header in service.InitialMetadata)
        {
            _metadata.Add((header.Key.ToLowerInvariant(), header.Value));
        }
    }

    public IDiscoveryStream? Open(string method, IDiscoveryStreamCallbacks callbacks)
    {
        if (_clusters().AsyncClient(_cluster) is not { } client)
        {
            return null;
        }
        var stream = new ClusterStream(callbacks);
        return stream.Start(client, _options, Headers(method)) ? stream : null;
    }

    private HeaderMap Headers(string method)
    {
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Method, "POST"u8);
        headers.Set(KnownHeader.Path, method);
        headers.Set(KnownHeader.Authority, _authority);
        headers.Set(KnownHeader.Te, "trailers"u8);
        headers.Set(KnownHeader.ContentType, "application/grpc"u8);
        foreach (var (name, value) in _metadata)
        {
            headers.Add(name, value);
        }
        return headers;
    }
}
