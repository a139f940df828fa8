using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Observability.AccessLogs;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Router.V3.Router;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>envoy.filters.http.router: the end of the chain, sends requests to clusters.</summary>
internal sealed class RouterFilterFactory : IHttpFilterFactory
{
    private static readonly string[] Checkable =
    [
        "x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-max-retries",
        "x-envoy-retry-on", "x-envoy-retry-grpc-on",
    ];

    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.router";

    public bool IsTerminal => true;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        foreach (var header in config.StrictCheckHeaders)
        {
            if (Array.IndexOf(Checkable, header.ToLowerInvariant()) < 0)
            {
                throw new ConfigurationException($"router.strict_check_headers: '{header}' cannot be checked; use one of {string.Join(", ", Checkable)}.");
            }
        }
        return new RouterConfig
        {
            Stats = context.ServerScope.Scope(statPrefix.TrimEnd('.')).Block(RouterConfig.StatLayout),
            Clusters = context.Clusters,
            Runtime = context.Runtime,
            DynamicStats = config.DynamicStats ?? true,
            SuppressEnvoyHeaders = config.SuppressEnvoyHeaders,
            RespectExpectedTimeout = config.RespectExpectedRqTimeout,
            SuppressGrpcFailureCodes = config.SuppressGrpcRequestFailureCodeStats,
            StartChildSpan = config.StartChildSpan,
            StrictCheckHeaders = [.. config.StrictCheckHeaders.Select(name => name.ToLowerInvariant())],
            UpstreamLogs = [.. AccessLogCompiler.Compile(config.UpstreamLog, context)],
            FlushUpstreamLogOnStream = config.UpstreamLogOptions?.FlushUpstreamLogOnUpstreamStream ?? false,
            UpstreamFilters = FilterChainCompiler.CompileUpstream(config.UpstreamHttpFilters, statPrefix, context, "router.upstream_http_filters"),
            Zone = context.Node.Locality?.Zone ?? "",
        };
    }
}
