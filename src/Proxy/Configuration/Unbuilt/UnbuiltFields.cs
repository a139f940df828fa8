using System.Collections.Concurrent;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Configuration.Unbuilt;

/// <summary>
/// Fields of messages in use that nothing here reads, so that no setting is silent: one is listed as ignored, or refuses its
/// resource where leaving it out would serve other than was asked. A test holds the tables against what the code reads.
/// </summary>
internal static class UnbuiltFields
{
    /// <summary>Without effect: traffic is served as if they were not there.</summary>
    private const string Ignored = """
        envoy.config.bootstrap.v3.Admin: access_log_path socket_options ignore_global_conn_limit
        envoy.config.bootstrap.v3.Bootstrap: flags_path watchdog watchdogs hds_config enable_dispatcher_stats
        envoy.config.bootstrap.v3.Bootstrap: stats_server_version_override use_tcp_for_dns_lookups dns_resolution_config
        envoy.config.bootstrap.v3.Bootstrap: typed_dns_resolver_config config_sources default_config_source inline_headers
        envoy.config.bootstrap.v3.Bootstrap: default_socket_interface node_context_params fatal_actions perf_tracing_file_path
        envoy.config.bootstrap.v3.Bootstrap: xds_delegate_extension xds_config_tracker_extension listener_manager
        envoy.config.bootstrap.v3.Bootstrap: grpc_async_client_manager_config memory_allocator_manager
        envoy.config.bootstrap.v3.Bootstrap: enable_worker_cpu_affinity certificate_provider_instances
        envoy.config.bootstrap.v3.Bootstrap.DynamicResources: lds_resources_locator cds_resources_locator
        envoy.config.bootstrap.v3.ClusterManager: load_stats_config
        envoy.config.bootstrap.v3.ClusterManager.OutlierDetection: event_service
        envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget: budget_interval
        envoy.config.cluster.v3.Cluster: lrs_server upstream_config lrs_report_endpoint_metrics
        envoy.config.cluster.v3.Cluster: per_connection_buffer_high_watermark_timeout
        envoy.config.cluster.v3.Cluster.CommonLbConfig: update_merge_window
        envoy.config.cluster.v3.Cluster.PreconnectPolicy: preconnect_enabled_metadata
        envoy.config.cluster.v3.OutlierDetection: detect_degraded_hosts
        envoy.config.cluster.v3.UpstreamConnectionOptions: set_local_interface_name_on_upstream_connections
        envoy.config.core.v3.ApiConfigSource: rate_limit_settings config_validators
        envoy.config.core.v3.BindConfig: validate_network_namespaces
        envoy.config.core.v3.CelExpressionConfig: enable_string_conversion
        envoy.config.core.v3.ConfigSource: authorities
        envoy.config.core.v3.DataSource: watched_directory
        envoy.config.core.v3.GrpcService: retry_policy
        envoy.config.core.v3.HealthCheck: alt_port event_service
        envoy.config.core.v3.HealthCheck.HttpHealthCheck: use_alpn_protocol
        envoy.config.core.v3.Http2ProtocolOptions: allow_metadata max_metadata_size enable_huffman_encoding
        envoy.config.core.v3.Http2ProtocolOptions: max_header_field_size_kb disallow_obs_text stream_reset_burst stream_reset_rate
        envoy.config.core.v3.HttpService: formatters
        envoy.config.core.v3.PathConfigSource: poll_interval
        envoy.config.core.v3.RetryPolicy: retry_priority retry_host_predicate host_selection_retry_max_attempts
        envoy.config.core.v3.SocketOption: ip_version
        envoy.config.core.v3.SubstitutionFormatString: json_format_options
        envoy.config.core.v3.WatchedDirectory: watch_modify
        envoy.config.endpoint.v3.Endpoint: observability_name
        envoy.config.endpoint.v3.LocalityLbEndpoints: proximity
        envoy.config.listener.v3.AdditionalAddress: tcp_keepalive
        envoy.config.listener.v3.Listener: tcp_fast_open_queue_length connection_balance_config enable_mptcp tcp_keepalive stats_matcher reuse_port
        envoy.config.listener.v3.Listener: per_connection_buffer_high_watermark_timeout
        envoy.config.listener.v3.Listener.ConnectionBalanceConfig: cpu_locality_balance
        envoy.config.overload.v3.OverloadManager: buffer_factory_config
        envoy.config.overload.v3.ScaleTimersOverloadActionConfig.ScaleTimer: min_timeout min_scale
        envoy.config.rbac.v3.RBAC.AuditLoggingOptions: audit_condition
        envoy.config.rbac.v3.RBAC.AuditLoggingOptions.AuditLoggerConfig: audit_logger
        envoy.config.route.v3.RetryPolicy: refresh_cluster_on_retry
        envoy.config.route.v3.RouteAction: cors
        envoy.config.route.v3.VirtualHost: cors
        envoy.config.trace.v3.OpenTelemetryConfig: exporter
        envoy.config.trace.v3.ZipkinConfig: split_spans_for_request timestamp_trace_ids
        envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig: allow_coalesced_connections
        envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig: key_value_config disable_dns_refresh_on_failure
        envoy.extensions.compression.gzip.compressor.v3.Gzip: memory_level compression_strategy window_bits chunk_size
        envoy.extensions.compression.zstd.compressor.v3.Zstd: strategy chunk_size
        envoy.extensions.filters.http.compressor.v3.Compressor.CommonDirectionConfig: content_type_matcher
        envoy.extensions.filters.http.compressor.v3.Compressor.ResponseDirectionConfig: status_header_enabled
        envoy.extensions.filters.http.compressor.v3.CompressorOverrides: compressor_library
        envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig: save_upstream_address allow_dynamic_host_from_filter_state
        envoy.extensions.filters.http.ext_authz.v3.ExtAuthz: typed_metadata_context_namespaces
        envoy.extensions.filters.http.header_mutation.v3.Mutations: formatters
        envoy.extensions.filters.http.header_to_metadata.v3.Config: stat_prefix
        envoy.extensions.filters.http.router.v3.Router: reject_connect_request_early_data
        envoy.extensions.filters.http.router.v3.Router.UpstreamAccessLogOptions: upstream_log_flush_interval
        envoy.extensions.filters.http.set_metadata.v3.Metadata: typed_value
        envoy.extensions.filters.http.stateful_session.v3.StatefulSession: stat_prefix status_on_strict_destination_not_found
        envoy.extensions.filters.network.ext_authz.v3.ExtAuthz: typed_metadata_context_namespaces
        envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager: http3_protocol_options
        envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager: add_proxy_protocol_connection_state
        envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager: represent_ipv4_remote_address_as_ipv4_mapped_ipv6
        envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager: record_route_resolution_stats
        envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails: format issuer
        envoy.extensions.filters.network.http_connection_manager.v3.ScopedRds: srds_resources_locator
        envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy: downstream_idle_timeout upstream_idle_timeout check_drain_close
        envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy: proxy_protocol_tlvs proxy_protocol_tlv_merge_policy
        envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig: request_id_header request_id_metadata_key formatters
        envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin: oob_reporting_period
        envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin: oob_reporting_config
        envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost: selected_host_key
        envoy.extensions.matching.input_matchers.ip.v3.Ip: stat_prefix
        envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig: filter_unroutable_families
        envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig: rotate_nameservers edns0_max_payload_size
        envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig: max_udp_channel_duration reinit_channel_on_timeout
        envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig: qcache_max_ttl
        envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig: max_heap_size_bytes_runtime
        envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport: allow_unspecified_address tlv_as_pool_key
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig: alternate_protocols_cache_options
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig: http3_protocol_options
        envoy.type.tracing.v3.CustomTag: value_type
        opentelemetry.proto.common.v1.AnyValue: bool_value int_value double_value bytes_value string_value_strindex
        opentelemetry.proto.common.v1.KeyValue: key_strindex
        """;

    /// <summary>Without them other requests would pass, or others be sent elsewhere: the resource is refused.</summary>
    private const string Refused = """
        cel.expr.Expr.Comprehension: iter_var2
        cel.expr.Expr.CreateList: optional_indices
        cel.expr.Expr.CreateStruct.Entry: field_key optional_entry
        envoy.config.cluster.v3.Filter: config_discovery
        envoy.config.core.v3.SocketAddress: network_namespace_filepath
        envoy.config.endpoint.v3.ClusterLoadAssignment: named_endpoints
        envoy.config.endpoint.v3.LbEndpoint: endpoint_name
        envoy.config.endpoint.v3.LocalityLbEndpoints: load_balancer_endpoints leds_cluster_locality_config
        envoy.config.listener.v3.Listener: api_listener fcds_config
        envoy.config.listener.v3.ListenerFilter: config_discovery
        envoy.config.route.v3.Route: filter_action route_specifiers
        envoy.config.route.v3.RouteConfiguration: vhds route_specifiers
        envoy.config.route.v3.VirtualHost: route_specifiers
        envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig: resolved_address_filter
        envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig: sub_cluster_config
        envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager: forward_client_cert_matcher
        envoy.extensions.matching.common_inputs.network.v3.FilterStateInput: field
        envoy.type.metadata.v3.MetadataKey.PathSegment: index
        """;

    private static readonly Dictionary<string, List<string>> IgnoredByType = Parse(Ignored);
    private static readonly Dictionary<string, List<string>> RefusedByType = Parse(Refused);
    private static readonly ConcurrentDictionary<MessageType, (ulong Ignored, ulong Refused)> Masks = new();

    /// <summary>Notes what of a resource, and of what is packed in it, is without effect.</summary>
    /// <exception cref="ConfigurationException">It has a field that cannot be left out.</exception>
    public static void Check(Message resource, UnsupportedFeatures unsupported)
    {
        List<string>? ignored = null;
        PresentFields.Visit(resource, Listed, (field, path) =>
        {
            var name = $"{field.ContainingType.FullName}.{field.Name}";
            if ((Of(field.ContainingType).Refused & field.Bit) != 0)
            {
                throw new ConfigurationException($"{path}: {name} is not built in this proxy; leave it out.");
            }
            (ignored ??= []).Add(name);
        });
        // Only of what is accepted in the end.
        ignored?.ForEach(name => unsupported.Note(name, UnsupportedEffect.Ignored));
    }

    /// <summary>All fields the tables name, as TYPE.FIELD.</summary>
    internal static IEnumerable<string> All() =>
        IgnoredByType.Concat(RefusedByType).SelectMany(static entry => entry.Value.Select(field => $"{entry.Key}.{field}"));

    /// <summary>Whether the tables name a field.</summary>
    internal static bool Names(FieldDescriptor field) => (Listed(field.ContainingType) & field.Bit) != 0;

    private static ulong Listed(MessageType type)
    {
        var (ignored, refused) = Of(type);
        return ignored | refused;
    }

    private static (ulong Ignored, ulong Refused) Of(MessageType type) =>
        Masks.GetOrAdd(type, static type => (Mask(type, IgnoredByType), Mask(type, RefusedByType)));

    private static ulong Mask(MessageType type, Dictionary<string, List<string>> table)
    {
        if (!table.TryGetValue(type.FullName, out var names))
        {
            return 0;
        }
        ulong mask = 0;
        foreach (var name in names)
        {
            mask |= type.FindField(name)?.Bit ?? 0;
        }
        return mask;
    }

    private static Dictionary<string, List<string>> Parse(string table)
    {
        var parsed = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var line in table.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var type = line[..colon];
            if (!parsed.TryGetValue(type, out var names))
            {
                parsed[type] = names = [];
            }
            names.AddRange(line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        return parsed;
    }
}
