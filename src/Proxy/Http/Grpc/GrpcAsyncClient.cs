using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using GrpcService = Envoy.Config.Core.V3.GrpcService;
using HeaderValueOption = Envoy.Config.Core.V3.HeaderValueOption;

namespace MeshProxy.Proxy.Http.Grpc;

/// <summary>
/// Calls a gRPC service that configuration names (core.v3.GrpcService), from any loop; answers come on the calling loop.
/// Only services in clusters are known: google_grpc would need another library's transport.
/// </summary>
public sealed class GrpcAsyncClient
{
    private readonly IClusterManager _clusters;
    private readonly string _cluster;
    private readonly byte[] _authority;
    private readonly TimeSpan _timeout;
    private readonly uint _maxMessageBytes;
    private readonly HeaderParser _metadata;
    private readonly Envoy.Config.Route.V3.RetryPolicy? _retry;
    private readonly bool _internalHeaders;

    private GrpcAsyncClient(GrpcService config, GrpcService.EnvoyGrpc envoy, FactoryContext context, string field)
    {
        _clusters = context.Clusters;
        _cluster = envoy.ClusterName;
        _authority = Encoding.Latin1.GetBytes(envoy.Authority.Length > 0 ? envoy.Authority : envoy.ClusterName);
        _timeout = config.Timeout ?? TimeSpan.Zero;
        _maxMessageBytes = envoy.MaxReceiveMessageLength ?? 0;
        _internalHeaders = !envoy.SkipEnvoyHeaders;
        _metadata = MetadataOf(config, field);
        _retry = envoy.RetryPolicy is { } core ? CoreRetryPolicy.ToRoute(core, core.RetryOn) : null;
    }

    /// <summary>GrpcService.timeout; zero when there is none.</summary>
    public TimeSpan Timeout => _timeout;

    public string ClusterName => _cluster;

    /// <param name="mayBeUnknown">The cluster may come later: until then calls fail (Envoy's skip_cluster_check).</param>
    public static GrpcAsyncClient Compile(GrpcService config, FactoryContext context, string field, bool mayBeUnknown = false)
    {
        var envoy = config.EnvoyGrpcValue ?? throw new ConfigurationException(
            $"{field}.google_grpc: only services in clusters can be called; use envoy_grpc.");
        if (!mayBeUnknown && context.Clusters.Get(envoy.ClusterName) is null)
        {
            throw new ConfigurationException($"{field}.envoy_grpc.cluster_name: Unknown gRPC client cluster '{envoy.ClusterName}'; define it.");
        }
        return new GrpcAsyncClient(config, envoy, context, field);
    }

    /// <summary>Opens a bidirectional stream of `/service/method`; null when the cluster is gone.</summary>
    public GrpcAsyncStream? Start(string service, string method, IGrpcStreamCallbacks callbacks, AsyncRequestOptions? options = null) =>
        _clusters.AsyncClient(_cluster) is { } client
            ? new GrpcAsyncStream(client, Options(options), Headers(service, method, _timeout, options), _maxMessageBytes, callbacks)
            : null;

    /// <summary>One request, one response. Null when it has ended already.</summary>
    /// <param name="timeout">Instead of the service's; null takes the service's.</param>
    public IAsyncRequest? Call(string service, string method, ReadOnlySpan<byte> request, IGrpcCallCallbacks callbacks,
        TimeSpan? timeout = null, AsyncRequestOptions? options = null)
    {
        if (_clusters.AsyncClient(_cluster) is not { } client)
        {
            callbacks.OnFailure(GrpcStatus.Unavailable, "Cluster not available");
            return null;
        }
        var limit = timeout ?? _timeout;
        var call = new GrpcCall(callbacks);
        var stream = new GrpcAsyncStream(client, Options(options) with { Timeout = limit }, Headers(service, method, limit, options), _maxMessageBytes, call);
        call.Stream = stream;
        stream.Send(request, endStream: true);
        return call.Done ? null : call;
    }

    private AsyncRequestOptions Options(AsyncRequestOptions? given) =>
        (given ?? new AsyncRequestOptions()) with
        {
            RetryPolicy = given?.RetryPolicy ?? _retry,
            SendInternalHeaders = _internalHeaders,
        };

    private HeaderMap Headers(string service, string method, TimeSpan timeout, AsyncRequestOptions? options)
    {
        var headers = HeaderMap.Rent();
        headers.Set(KnownHeader.Method, "POST"u8);
        headers.Set(KnownHeader.Path, $"/{service}/{method}");
        headers.Set(KnownHeader.Authority, _authority);
        headers.Set(KnownHeader.Scheme, "http"u8);
        headers.Set(KnownHeader.ContentType, "application/grpc"u8);
        headers.Set(KnownHeader.Te, "trailers"u8);
        if (timeout > TimeSpan.Zero)
        {
            GrpcCommon.SetTimeout(headers, timeout);
        }
        if (!_metadata.IsEmpty)
        {
            _metadata.Evaluate(headers, options?.Formats ?? new LogContext(null, null, null, CallInfo.New()));
        }
        return headers;
    }

    // As Envoy's HeaderParser has it: the last of equal names counts, values may have operators.
    private static HeaderParser MetadataOf(GrpcService config, string field)
    {
        var options = new List<HeaderValueOption>(config.InitialMetadata.Count);
        foreach (var header in config.InitialMetadata)
        {
            var option = HeaderValueOption.New();
            option.Header = header;
            option.AppendAction = HeaderValueOption.HeaderAppendAction.OverwriteIfExistsOrAdd;
            options.Add(option);
        }
        return HeaderParser.Compile(options, [], $"{field}.initial_metadata");
    }

    private sealed class GrpcCall(IGrpcCallCallbacks callbacks) : IGrpcStreamCallbacks, IAsyncRequest
    {
        private ReadOnlyMemory<byte>? _response;

        public GrpcAsyncStream? Stream { get; set; }

        public bool Done { get; private set; }

        public StreamInfo? StreamInfo => Stream?.StreamInfo;

        public void OnMessage(ReadOnlyMemory<byte> message) => _response = message;

        public void OnClosed(int status, string message)
        {
            if (Done)
            {
                return;
            }
            Done = true;
            if (status == GrpcStatus.Ok && _response is { } response)
            {
                callbacks.OnSuccess(response);
            }
            else
            {
                callbacks.OnFailure(status == GrpcStatus.Ok ? GrpcStatus.Internal : status, message);
            }
        }

        public void Cancel()
        {
            if (!Done)
            {
                Done = true;
                Stream?.Reset();
            }
        }
    }
}
