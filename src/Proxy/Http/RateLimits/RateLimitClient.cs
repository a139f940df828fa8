using Envoy.Service.Ratelimit.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;
using ApiVersion = Envoy.Config.Core.V3.ApiVersion;
using Config = Envoy.Config.Ratelimit.V3.RateLimitServiceConfig;
using DescriptorMessage = Envoy.Extensions.Common.Ratelimit.V3.RateLimitDescriptor;

namespace MeshProxy.Proxy.Http.RateLimits;

internal interface IRateLimitCallbacks
{
    void OnLimit(LimitAnswer answer);
}

/// <summary>Asks envoy.service.ratelimit.v3.RateLimitService; from any loop, answers on the calling loop.</summary>
internal sealed class RateLimitClient
{
    private const string Service = "envoy.service.ratelimit.v3.RateLimitService";

    private const string Method = "ShouldRateLimit";

    /// <summary>Envoy's default of the filters' timeout: 20 ms. Zero waits for ever.</summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMilliseconds(20);

    private readonly GrpcAsyncClient _client;
    private readonly TimeSpan _timeout;

    /// <summary>An unknown cluster is no mistake of the configuration: questions fail until it comes.</summary>
    public RateLimitClient(Config? config, TimeSpan? timeout, FactoryContext context, string field)
    {
        if (config?.GrpcService is not { } service)
        {
            throw new ConfigurationException($"{field}.grpc_service: no service is set; set it.");
        }
        if (config.Value.TransportApiVersion == ApiVersion.V2)
        {
            throw new ConfigurationException($"{field}.transport_api_version: V2 is gone; use V3.");
        }
        _client = GrpcAsyncClient.Compile(service, context, $"{field}.grpc_service", mayBeUnknown: true);
        _timeout = timeout ?? DefaultTimeout;
    }

    /// <summary>Exactly one answer follows unless the call is cancelled. Null when it came before this returned.</summary>
    /// <param name="hits">How much this counts where a descriptor says nothing; 0 leaves it to the service.</param>
    /// <param name="headers">Of the request; null for a connection.</param>
    public IAsyncRequest? Limit(string domain, IReadOnlyList<RateLimitDescriptor> descriptors, uint hits, StreamInfo info,
        HeaderMap? headers, ISpan? span, IRateLimitCallbacks callbacks)
    {
        var request = RateLimitRequest.New();
        request.Domain = domain;
        request.HitsAddend = hits;
        foreach (var descriptor in descriptors)
        {
            request.Descriptors.Add(MessageOf(descriptor));
        }
        var options = new AsyncRequestOptions
        {
            Formats = new LogContext(headers, null, null, info),
            ParentSpan = span,
            SpanName = $"async {Service}.{Method} egress",
        };
        return _client.Call(Service, Method, request.Message.ToBytes(), new Answer(callbacks), _timeout, options);
    }

    private static DescriptorMessage MessageOf(RateLimitDescriptor descriptor)
    {
        var message = DescriptorMessage.New();
        foreach (var (key, value) in descriptor.Entries)
        {
            var entry = DescriptorMessage.Entry.New();
            entry.Key = key;
            entry.Value = value;
            message.Entries.Add(entry);
        }
        if (descriptor.Limit is { } limit)
        {
            var given = DescriptorMessage.RateLimitOverride.New();
            given.RequestsPerUnit = limit.RequestsPerUnit;
            given.Unit = (Envoy.Type.V3.RateLimitUnit)limit.Unit;
            given.UnitMultiplier = limit.Multiplier;
            message.Limit = given;
        }
        message.HitsAddend = descriptor.HitsAddend;
        message.IsNegativeHits = descriptor.NegativeHits;
        return message;
    }

    private sealed class Answer(IRateLimitCallbacks callbacks) : IGrpcCallCallbacks
    {
        public void OnSuccess(ReadOnlyMemory<byte> response)
        {
            LimitAnswer answer;
            try
            {
                answer = LimitAnswer.Read(Message.Parse<RateLimitResponse>(response.Span));
            }
            catch (ProtobufException)
            {
                answer = LimitAnswer.Failed;
            }
            callbacks.OnLimit(answer);
        }

        public void OnFailure(int status, string message) => callbacks.OnLimit(LimitAnswer.Failed);
    }
}
