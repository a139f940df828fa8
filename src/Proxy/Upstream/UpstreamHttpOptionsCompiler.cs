using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Upstream.Health;
using TypedOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Compiles a cluster's HTTP options: the typed extension, or the deprecated fields of the cluster.</summary>
internal static class UpstreamHttpOptionsCompiler
{
    public const string ExtensionName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    public const string DynamicForwardProxyType = "envoy.clusters.dynamic_forward_proxy";
    private const string TcpExtensionName = "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions";
    private const string CodecFilterType = "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec";

    // HttpProtocolOptions.idle_timeout.
    private static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromHours(1);

    public static UpstreamHttpOptions Compile(Cluster cluster, FactoryContext context)
    {
        foreach (var (name, _) in cluster.TypedExtensionProtocolOptions)
        {
            if (name is not (ExtensionName or TcpExtensionName) && !name.StartsWith("envoy.filters.network.", StringComparison.Ordinal)
                && !name.StartsWith("envoy.", StringComparison.Ordinal))
            {
                throw new ConfigurationException(
                    $"Didn't find a registered network or http filter or protocol options implementation for name: '{name}' "
                    + $"in typed_extension_protocol_options of cluster {cluster.Name}.");
            }
        }
        return cluster.TypedExtensionProtocolOptions.TryGetValue(ExtensionName, out var any)
            ? FromExtension(cluster, any.Unpack<TypedOptions>(), context)
            : FromDeprecatedFields(cluster);
    }

    private static UpstreamHttpOptions FromExtension(Cluster cluster, TypedOptions options, FactoryContext context)
    {
        RequireCodecFilter(cluster, options);
        var filters = options.HttpFilters.Count == 0
            ? null
            : FilterChainCompiler.CompileUpstream(options.HttpFilters, $"cluster.{cluster.Name}.", context, $"cluster {cluster.Name}: http_filters");
        if (options.HeaderValidationConfig is { } validator)
        {
            throw new ConfigurationException(
                $"Cluster {cluster.Name}: header validator extensions are not supported: '{validator.Name}'; remove header_validation_config.");
        }
        var common = WithCommon(WithPolicies(new UpstreamHttpOptions { Filters = filters }, options, context), options.CommonHttpProtocolOptions);
        var result = options.UpstreamHttpProtocolOptions is { } tls ? WithTlsNames(common, tls) : common;
        switch (options.UpstreamProtocolOptionsCase)
        {
            case TypedOptions.UpstreamProtocolOptionsOneofCase.ExplicitHttpConfigValue:
                var exact = options.ExplicitHttpConfigValue!.Value;
                if (exact.Http3ProtocolOptions is not null)
                {
                    throw Http3Unsupported(cluster);
                }
                return result with
                {
                    Choice = exact.Http2ProtocolOptions is null ? UpstreamProtocolChoice.Http1 : UpstreamProtocolChoice.Http2,
                    Http1 = CodecSettingsReader.Read(exact.HttpProtocolOptions),
                    Http2 = CodecSettingsReader.Read(exact.Http2ProtocolOptions),
                };
            case TypedOptions.UpstreamProtocolOptionsOneofCase.UseDownstreamProtocolConfig:
                var downstream = options.UseDownstreamProtocolConfig!.Value;
                return result with
                {
                    Choice = UpstreamProtocolChoice.Downstream,
                    Http1 = CodecSettingsReader.Read(downstream.HttpProtocolOptions),
                    Http2 = CodecSettingsReader.Read(downstream.Http2ProtocolOptions),
                };
            default:
                var automatic = options.AutoConfig!.Value;
                if (automatic.Http3ProtocolOptions is not null)
                {
                    throw Http3Unsupported(cluster);
                }
                return result with
                {
                    Choice = UpstreamProtocolChoice.Auto,
                    Http1 = CodecSettingsReader.Read(automatic.HttpProtocolOptions),
                    Http2 = CodecSettingsReader.Read(automatic.Http2ProtocolOptions),
                };
        }
    }

    private static UpstreamHttpOptions FromDeprecatedFields(Cluster cluster)
    {
        // Where any host may be named, TLS has to check the one that is: on unless configured.
        var safe = cluster.ClusterType?.Name == DynamicForwardProxyType;
        var common = WithCommon(new UpstreamHttpOptions { AutoSni = safe, AutoSanValidation = safe }, cluster.CommonHttpProtocolOptions);
        var result = cluster.UpstreamHttpProtocolOptions is { } tls ? WithTlsNames(common, tls) : common;
        if (cluster.CommonHttpProtocolOptions?.MaxRequestsPerConnection is null && cluster.MaxRequestsPerConnection is { } most)
        {
            result = result with { MaxRequestsPerConnection = most };
        }
        return result with
        {
            Choice = cluster.ProtocolSelection == Cluster.ClusterProtocolSelection.UseDownstreamProtocol ? UpstreamProtocolChoice.Downstream
                : cluster.Http2ProtocolOptions is not null ? UpstreamProtocolChoice.Http2
                : UpstreamProtocolChoice.Http1,
            Http1 = CodecSettingsReader.Read(cluster.HttpProtocolOptions),
            Http2 = CodecSettingsReader.Read(cluster.Http2ProtocolOptions),
        };
    }

    private static UpstreamHttpOptions WithCommon(UpstreamHttpOptions options, HttpProtocolOptions? common) => options with
    {
        IdleTimeout = common?.IdleTimeout ?? DefaultIdleTimeout,
        MaxConnectionDuration = common?.MaxConnectionDuration ?? default,
        MaxConnectionDurationJitterPercent = common?.MaxConnectionDurationJitter?.Value ?? 0,
        MaxStreamDuration = common?.MaxStreamDuration ?? default,
        MaxRequestsPerConnection = common?.MaxRequestsPerConnection ?? 0,
        MaxHeadersCount = common?.MaxHeadersCount,
        MaxResponseHeadersKb = common?.MaxResponseHeadersKb,
    };

    private static UpstreamHttpOptions WithPolicies(UpstreamHttpOptions result, TypedOptions options, FactoryContext context)
    {
        var mirrors = new MirrorPolicy[options.RequestMirrorPolicies.Count];
        for (var i = 0; i < mirrors.Length; i++)
        {
            mirrors[i] = new MirrorPolicy(options.RequestMirrorPolicies[i], context, $"request_mirror_policies[{i}]");
        }
        return result with
        {
            Retry = options.RetryPolicy is { } retry ? Http.Router.RetryPolicy.Compile(retry, "retry_policy") : null,
            Hash = HashPolicy.Compile(options.HashPolicy, "hash_policy"),
            Mirrors = mirrors,
            Errors = options.OutlierDetectionValue?.ErrorMatcher is { } errors
                ? ResponseErrorMatcher.Compile(errors, "outlier_detection.error_matcher") : null,
        };
    }

    private static UpstreamHttpOptions WithTlsNames(UpstreamHttpOptions options, UpstreamHttpProtocolOptions tls) => options with
    {
        AutoSni = tls.AutoSni,
        AutoSanValidation = tls.AutoSanValidation,
        OverrideAutoSniHeader = tls.OverrideAutoSniHeader,
    };

    // Upstream filters end in the codec, as a chain of a listener ends in the router.
    private static void RequireCodecFilter(Cluster cluster, TypedOptions options)
    {
        var filters = options.HttpFilters;
        if (filters.Count > 0 && filters[filters.Count - 1].TypedConfig?.TypeName != CodecFilterType)
        {
            throw new ConfigurationException(
                $"Error: non-terminal filter named {filters[filters.Count - 1].Name} is the last filter in an upstream http filter chain "
                + $"of cluster {cluster.Name}; end http_filters with envoy.filters.http.upstream_codec.");
        }
    }

    private static ConfigurationException Http3Unsupported(Cluster cluster) =>
        new($"Cluster {cluster.Name}: HTTP/3 upstream is not supported; configure http2_protocol_options or http_protocol_options.");
}
