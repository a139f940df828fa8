using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.AccessLogs;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Observability.Tracing;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using Underscores = Envoy.Config.Core.V3.HttpProtocolOptions.HeadersWithUnderscoresAction;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Turns an HttpConnectionManager message into its compiled form, or refuses it with the field at fault.</summary>
internal sealed class HttpConnectionManagerCompiler(Config config, FactoryContext context)
{
    private const string StopAcceptingRequests = "envoy.overload_actions.stop_accepting_requests";
    private const string DisableKeepAlive = "envoy.overload_actions.disable_http_keepalive";

    private readonly string _statPrefix = $"http.{config.StatPrefix}.";

    public HttpConnectionManagerConfig Compile()
    {
        Check();
        var scope = context.ServerScope.Scope($"http.{config.StatPrefix}");
        var requestId = RequestIdOf();
        var common = config.CommonHttpProtocolOptions;
        var node = context.Node;
        return new HttpConnectionManagerConfig
        {
            StatPrefix = config.StatPrefix,
            Stats = scope.Block(HttpManagerStats.Layout),
            ListenerStats = context.Scope.Scope($"http.{config.StatPrefix}").Block(HttpManagerStats.ListenerLayout),
            Runtime = context.Runtime,
            Drain = context.Drain,
            Clusters = context.Clusters,
            Routes = RouteProviders.Create(config, context, scope),
            Filters = FilterChainCompiler.Compile(config.HttpFilters, _statPrefix, context, "http_filters"),
            Codecs = CodecsOf(common),
            Upgrades = UpgradesOf(),
            AccessLogs = [.. AccessLogCompiler.Compile(config.AccessLog, context)],
            Failures = FailureLog.Of(context.Singletons),
            FlushAccessLogOnNewRequest = config.AccessLogOptions?.FlushAccessLogOnNewRequest ?? config.FlushAccessLogOnNewRequest,
            FlushAccessLogOnTunnel = config.AccessLogOptions?.FlushLogOnTunnelSuccessfullyEstablished ?? false,
            AccessLogFlushInterval = config.AccessLogOptions?.AccessLogFlushInterval ?? config.AccessLogFlushInterval ?? TimeSpan.Zero,
            Listener = context.Listener,
            LocalReply = LocalReplyOf(),
            ProxyStatus = config.ProxyStatusConfigValue is { } status ? new ProxyStatus(status, node.Id, ServerName()) : null,
            StreamIdleTimeout = config.StreamIdleTimeout ?? TimeSpan.FromMinutes(5),
            StreamFlushTimeout = config.StreamFlushTimeout,
            RequestTimeout = config.RequestTimeout ?? TimeSpan.Zero,
            RequestHeadersTimeout = config.RequestHeadersTimeout ?? TimeSpan.Zero,
            DrainTimeout = config.DrainTimeout ?? TimeSpan.FromSeconds(5),
            DrainTimeoutJitterPercent = config.DrainTimeoutJitter?.Value ?? 0,
            DelayedCloseTimeout = config.DelayedCloseTimeout ?? TimeSpan.FromSeconds(1),
            IdleTimeout = common?.IdleTimeout ?? TimeSpan.FromHours(1),
            MaxConnectionDuration = common?.MaxConnectionDuration ?? TimeSpan.Zero,
            MaxStreamDuration = common?.MaxStreamDuration ?? TimeSpan.Zero,
            SafeMaxConnectionDuration = config.Http1SafeMaxConnectionDuration,
            MaxRequestsPerConnection = common?.MaxRequestsPerConnection ?? 0,
            ServerHeader = config.ServerHeaderTransformationValue,
            ServerName = Encoding.Latin1.GetBytes(ServerName()),
            Via = Encoding.Latin1.GetBytes(config.Via),
            UseRemoteAddress = config.UseRemoteAddress ?? false,
            XffTrustedHops = config.XffNumTrustedHops,
            SkipXffAppend = config.SkipXffAppend,
            AppendForwardedPort = config.AppendXForwardedPort,
            HttpsPorts = [.. config.ForwardProtoConfig?.HttpsDestinationPorts ?? default],
            HttpPorts = [.. config.ForwardProtoConfig?.HttpDestinationPorts ?? default],
            IpDetections = IpDetectionsOf(),
            InternalAddresses = InternalAddressesOf(),
            LocalAddress = LocalAddresses.First,
            AddUserAgent = config.AddUserAgent ?? false,
            LocalCluster = Encoding.Latin1.GetBytes(node.Cluster),
            LocalNode = Encoding.Latin1.GetBytes(node.Id),
            GenerateRequestId = config.GenerateRequestId ?? true,
            PreserveExternalRequestId = config.PreserveExternalRequestId,
            AlwaysSetRequestIdInResponse = config.AlwaysSetRequestIdInResponse,
            RequestId = requestId,
            NormalizePath = config.NormalizePath
                ?? context.Runtime.FeatureEnabled("http_connection_manager.normalize_path", 0, 100, 0),
            MergeSlashes = config.MergeSlashes,
            EscapedSlashes = EscapedSlashesOf(),
            StripTrailingHostDot = config.StripTrailingHostDot,
            StripPort = config.StripAnyHostPort ? StripPort.Any : config.StripMatchingHostPort ? StripPort.Matching : StripPort.None,
            SchemeToOverwrite = config.SchemeHeaderTransformation?.SchemeToOverwrite ?? "",
            SchemeMatchUpstream = config.SchemeHeaderTransformation?.MatchUpstream ?? false,
            Proxy100Continue = config.Proxy100Continue,
            AppendLocalOverload = config.AppendLocalOverload,
            ClientCertificates = ClientCertificateForwarding.Compile(config),
            EarlyMutations = [.. EarlyMutationsOf()],
            Tracing = TracingOf(scope, requestId),
            StopAcceptingRequests = context.Overload.Action(StopAcceptingRequests),
            DisableKeepAlive = context.Overload.Action(DisableKeepAlive),
        };
    }

    private void Check()
    {
        if (config.StripAnyHostPort && config.StripMatchingHostPort)
        {
            throw new ConfigurationException("strip_matching_host_port: Error: Only one of `strip_matching_host_port` or `strip_any_host_port` can be set; remove one.");
        }
        if (config.OriginalIpDetectionExtensions.Count > 0 && (config.UseRemoteAddress == true || config.XffNumTrustedHops > 0))
        {
            throw new ConfigurationException("original_ip_detection_extensions: Original IP detection extensions and use_remote_address or xff_num_trusted_hops may not be mixed; remove one.");
        }
        if (config.AccessLogOptions is not null && config.FlushAccessLogOnNewRequest)
        {
            throw new ConfigurationException("access_log_options: Only one of flush_access_log_on_new_request or access_log_options can be specified; remove one.");
        }
        if (config.AccessLogOptions is not null && config.AccessLogFlushInterval is not null)
        {
            throw new ConfigurationException("access_log_options: Only one of access_log_flush_interval or access_log_options can be specified; remove one.");
        }
        if (config.TypedHeaderValidationConfig is { } validator)
        {
            throw new ConfigurationException($"typed_header_validation_config: header validator extensions are not supported: '{validator.Name}'; remove it.");
        }
        if (config.CodecTypeValue == Config.CodecType.Http3)
        {
            throw new ConfigurationException("codec_type: HTTP3 needs a QUIC listener, which is not supported; use AUTO.");
        }
    }

    private string ServerName() => config.ServerName.Length > 0 ? config.ServerName : "envoy";

    private ServerCodecFactory CodecsOf(Envoy.Config.Core.V3.HttpProtocolOptions? common)
    {
        var streamError = config.StreamErrorOnInvalidHttpMessage ?? false;
        var limits = new CodecLimits(
            config.MaxRequestHeadersKb ?? (uint)context.Runtime.GetInteger("envoy.reloadable_features.max_request_headers_size_kb", 60),
            common?.MaxHeadersCount ?? 100,
            common?.HeadersWithUnderscoresActionValue switch
            {
                Underscores.RejectRequest => UnderscoresAction.RejectRequest,
                Underscores.DropHeader => UnderscoresAction.DropHeader,
                _ => UnderscoresAction.Allow,
            });
        return new ServerCodecFactory(config.CodecTypeValue, CodecSettingsReader.Read(config.HttpProtocolOptions, streamError),
            CodecSettingsReader.Read(config.Http2ProtocolOptions, streamError), limits, context.ServerScope);
    }

    private Dictionary<string, UpgradeEntry> UpgradesOf()
    {
        var upgrades = new Dictionary<string, UpgradeEntry>(StringComparer.OrdinalIgnoreCase);
        foreach (var upgrade in config.UpgradeConfigs)
        {
            var filters = upgrade.Filters.Count == 0
                ? null
                : FilterChainCompiler.Compile(upgrade.Filters, _statPrefix, context, $"upgrade_configs[{upgrade.UpgradeType}].filters");
            if (!upgrades.TryAdd(upgrade.UpgradeType, new UpgradeEntry(upgrade.Enabled ?? true, filters)))
            {
                throw new ConfigurationException($"upgrade_configs: Error: multiple upgrade configs with the same name: '{upgrade.UpgradeType}'; remove one.");
            }
        }
        return upgrades;
    }

    private LocalReply LocalReplyOf()
    {
        if (config.LocalReplyConfig is not { } reply)
        {
            return LocalReply.Default;
        }
        var mappers = new List<LocalReply.Mapper>();
        for (var i = 0; i < reply.Mappers.Count; i++)
        {
            var mapper = reply.Mappers[i];
            var field = $"local_reply_config.mappers[{i}]";
            mappers.Add(new LocalReply.Mapper(
                AccessLogFilterCompiler.Compile(
                    mapper.Filter ?? throw new ConfigurationException($"{field}.filter: is missing; set it."), context),
                (int?)mapper.StatusCode,
                mapper.Body is { } body ? DataSource.Read(body, uint.MaxValue, $"{field}.body") : null,
                HeaderParser.Compile(mapper.HeadersToAdd, [], field),
                mapper.BodyFormatOverride is { } format ? LocalReplyFormat.Compile(format, $"{field}.body_format_override") : null));
        }
        return new LocalReply(mappers,
            reply.BodyFormat is { } shared ? LocalReplyFormat.Compile(shared, "local_reply_config.body_format") : null);
    }

    private OriginalIpDetection[] IpDetectionsOf()
    {
        if (config.OriginalIpDetectionExtensions.Count == 0)
        {
            // Envoy's own default: x-forwarded-for with the hops configured.
            var xff = Envoy.Extensions.Http.OriginalIpDetection.Xff.V3.XffConfig.New();
            xff.XffNumTrustedHops = config.XffNumTrustedHops;
            var extension = Envoy.Config.Core.V3.TypedExtensionConfig.New();
            extension.TypedConfig = MeshProxy.Xds.Protobuf.Any.Pack(xff);
            return [OriginalIpDetection.Compile(extension, "xff_num_trusted_hops")];
        }
        var detections = new OriginalIpDetection[config.OriginalIpDetectionExtensions.Count];
        for (var i = 0; i < detections.Length; i++)
        {
            detections[i] = OriginalIpDetection.Compile(config.OriginalIpDetectionExtensions[i], $"original_ip_detection_extensions[{i}]");
        }
        return detections;
    }

    private InternalAddresses? InternalAddressesOf()
    {
        if (config.InternalAddressConfigValue is not { } addresses)
        {
            return null;
        }
        var ranges = new CidrRange[addresses.CidrRanges.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = CidrRange.Compile(addresses.CidrRanges[i], $"internal_address_config.cidr_ranges[{i}]");
        }
        return new InternalAddresses(ranges, addresses.UnixSockets);
    }

    private RequestIdExtension RequestIdOf()
    {
        if (config.RequestIdExtension?.TypedConfig is not { } any)
        {
            return new RequestIdExtension(true, true);
        }
        if (!any.TryUnpack<Envoy.Extensions.RequestId.Uuid.V3.UuidRequestIdConfig>(out var uuid))
        {
            throw new ConfigurationException($"request_id_extension: Didn't find a registered implementation for type: '{any.TypeName}'; use envoy.request_id.uuid.");
        }
        return new RequestIdExtension(uuid.PackTraceReason ?? true, uuid.UseRequestIdForTraceSampling ?? true);
    }

    private Config.PathWithEscapedSlashesAction EscapedSlashesOf()
    {
        if (config.PathWithEscapedSlashesActionValue != Config.PathWithEscapedSlashesAction.ImplementationSpecificDefault)
        {
            return config.PathWithEscapedSlashesActionValue;
        }
        return (Config.PathWithEscapedSlashesAction)context.Runtime.GetInteger(
            "http_connection_manager.path_with_escaped_slashes_action", (ulong)Config.PathWithEscapedSlashesAction.KeepUnchanged);
    }

    private List<EarlyHeaderMutation> EarlyMutationsOf()
    {
        var mutations = new List<EarlyHeaderMutation>();
        for (var i = 0; i < config.EarlyHeaderMutationExtensions.Count; i++)
        {
            mutations.Add(EarlyHeaderMutation.Compile(config.EarlyHeaderMutationExtensions[i], $"early_header_mutation_extensions[{i}]"));
        }
        return mutations;
    }

    private TracingConfig? TracingOf(IStatsScope scope, RequestIdExtension requestId)
    {
        if (config.TracingValue is not { } tracing)
        {
            return null;
        }
        return new TracingConfig(
            scope.Scope("tracing").Block(TracingConfig.Layout), Sampling.Of(tracing, context.Runtime), requestId)
        {
            Tracer = TracerCompiler.Compile(tracing.Provider, context, "tracing.provider"),
            Settings = new SpanSettings
            {
                // core.v3.TrafficDirection.OUTBOUND
                IsEgress = context.Listener?.Direction == 2,
                SpawnsUpstreamSpan = tracing.SpawnUpstreamSpan ?? false,
                MaxPathLength = (int)Math.Min(int.MaxValue, tracing.MaxPathTagLength ?? SpanSettings.DefaultMaxPathLength),
                Verbose = tracing.Verbose,
                PropagatesContext = !tracing.NoContextPropagation,
                Naming = SpanNaming.Compile(tracing.CustomTags, tracing.Operation, tracing.UpstreamOperation, "tracing"),
                NodeId = context.Node.Id,
                Zone = context.Node.Locality?.Zone ?? "",
            },
        };
    }
}
