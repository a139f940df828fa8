using MeshProxy.Proxy.Configuration.Unbuilt;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Proxy.Tests.Configuration;

/// <summary>
/// No setting is silent: a field of a configuration message is read by the proxy's code, named by <see cref="UnbuiltFields"/>
/// (listed as without effect, or refused), or needs no reading for a reason given here.
/// </summary>
public class UnreadFieldsTests
{
    private static readonly string[] Roots =
    [
        "envoy.config.bootstrap.v3.Bootstrap",
        "envoy.config.cluster.v3.Cluster",
        "envoy.config.core.v3.TypedExtensionConfig",
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
        "envoy.config.listener.v3.Listener",
        "envoy.config.route.v3.RouteConfiguration",
        "envoy.config.route.v3.ScopedRouteConfiguration",
        "envoy.extensions.transport_sockets.tls.v3.Secret",
        "envoy.service.runtime.v3.Runtime",
    ];

    /// <summary>The case of a oneof says all there is to say.</summary>
    private const string ToldByCase = """
        envoy.config.accesslog.v3.AccessLogFilter: not_health_check_filter traceable_filter
        envoy.config.bootstrap.v3.RuntimeLayer: admin_layer
        envoy.config.common.matcher.v3.MatchPredicate: any_match
        envoy.config.core.v3.ConfigSource: ads self
        envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat: proper_case_words
        envoy.config.listener.v3.ListenerFilterChainMatchPredicate: any_match
        envoy.config.route.v3.RateLimit.Action: destination_cluster remote_address
        envoy.config.route.v3.Route: non_forwarding_action
        envoy.config.route.v3.RouteMatch: connect_matcher
        envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement: allow_missing allow_missing_or_failed
        envoy.type.matcher.v3.RegexMatcher: google_re2
        envoy.type.metadata.v3.MetadataKind: route cluster host
        envoy.type.v3.HashPolicy: source_ip
        xds.type.matcher.v3.RegexMatcher: google_re2
        """;

    /// <summary>The message that has it is refused whenever this could be set, or the member of the oneof is refused by its case.</summary>
    private const string RefusedWithItsOwner = """
        envoy.config.common.matcher.v3.MatchPredicate: http_request_headers_match http_request_trailers_match
        envoy.config.common.matcher.v3.MatchPredicate: http_response_trailers_match http_request_generic_body_match
        envoy.config.common.matcher.v3.MatchPredicate: http_response_generic_body_match
        envoy.config.core.v3.GrpcService: google_grpc
        envoy.config.core.v3.HealthCheck.CustomHealthCheck: typed_config
        envoy.config.core.v3.ApiConfigSource: cluster_names refresh_delay request_timeout
        envoy.extensions.transport_sockets.tls.v3.PrivateKeyProvider: typed_config fallback
        envoy.type.matcher.v3.StringMatcher: custom
        xds.type.matcher.v3.StringMatcher: custom
        """;

    /// <summary>Read elsewhere than in the data plane, passed on whole, or read through the message.</summary>
    private const string ReadOtherwise = """
        cel.expr.CheckedExpr: reference_map type_map source_info expr_version
        cel.expr.Expr.CreateStruct.Entry: id
        cel.expr.ParsedExpr: source_info
        envoy.config.core.v3.BuildVersion: version metadata
        google.api.expr.v1alpha1.ParsedExpr: source_info
        envoy.config.bootstrap.v3.Bootstrap: application_log_config
        envoy.config.core.v3.KeyValueAppend: entry
        envoy.config.core.v3.Node: user_agent_name user_agent_version user_agent_build_version extensions client_features
        envoy.config.core.v3.Node: listening_addresses dynamic_parameters
        envoy.config.metrics.v3.HistogramBucketSettings: bins
        google.api.expr.v1alpha1.CheckedExpr: reference_map type_map source_info expr_version
        google.api.expr.v1alpha1.Expr: id const_expr ident_expr select_expr call_expr list_expr struct_expr comprehension_expr
        """;

    /// <summary>Nothing an observer could tell: what it asks for always holds here, it tunes another implementation's inside, or nothing of Envoy reads it.</summary>
    private const string NothingToDo = """
        envoy.config.bootstrap.v3.Admin: profile_path
        envoy.config.bootstrap.v3.Bootstrap: deferred_stat_options default_regex_engine
        envoy.config.bootstrap.v3.ClusterManager: enable_deferred_cluster_creation
        envoy.config.core.v3.CelExpressionConfig: enable_string_conversion
        envoy.config.core.v3.ConfigSource: resource_api_version
        envoy.config.core.v3.HealthCheck: name
        envoy.config.metrics.v3.MetricsServiceConfig: transport_api_version
        envoy.extensions.access_loggers.grpc.v3.CommonGrpcAccessLogConfig: transport_api_version
        envoy.extensions.filters.http.grpc_stats.v3.FilterObject: request_message_count response_message_count
        envoy.config.core.v3.Http1ProtocolOptions: use_balsa_parser
        envoy.config.core.v3.Http2ProtocolOptions: use_oghttp2_codec
        envoy.config.core.v3.SocketOption: type
        envoy.config.metrics.v3.StatsConfig: allow_default_tag_overrides
        envoy.config.route.v3.ClusterSpecifierPlugin: is_optional
        envoy.config.route.v3.HedgePolicy: initial_requests additional_request_chance
        envoy.config.route.v3.ScopedRouteConfiguration: on_demand
        envoy.config.route.v3.WeightedCluster: total_weight
        envoy.extensions.compression.zstd.decompressor.v3.Zstd: chunk_size
        envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector: initial_read_buffer_size
        envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager: path_normalization_options
        envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig: udp_max_queries
        istio.workload.Locality: subzone
        istio.workload.Workload: network tunnel_protocol waypoint node native_tunnel authorization_policies status
        istio.workload.Workload: network_gateway uid hostname services application_tunnel network_mode extensions capacity
        """;

    /// <summary>Read by checks of what contradicts what, and by nothing that would act on them: listed all the same.</summary>
    private static readonly string[] ReadToBeChecked =
    [
        "envoy.config.bootstrap.v3.Bootstrap.watchdog",
        "envoy.config.bootstrap.v3.Bootstrap.watchdogs",
        "envoy.config.bootstrap.v3.Bootstrap.typed_dns_resolver_config",
        "envoy.config.listener.v3.Listener.tcp_fast_open_queue_length",
        "envoy.config.listener.v3.Listener.connection_balance_config",
        "envoy.config.listener.v3.Listener.enable_mptcp",
    ];

    private static readonly FieldReads Reads = new(typeof(Server.ProxyServer).Assembly);

    [Fact]
    public void EveryFieldIsReadOrListed()
    {
        var excused = Excuses();
        var silent = new List<string>();
        foreach (var field in Fields())
        {
            if (!Reads.Reads(field) && !UnbuiltFields.Names(field) && !excused.Contains(NameOf(field)))
            {
                silent.Add(NameOf(field));
            }
        }
        Assert.True(silent.Count == 0, $"Nothing reads these fields: build them, or name them in UnbuiltFields or here: {string.Join(", ", silent)}");
    }

    [Fact]
    public void WhatIsListedIsNotRead()
    {
        var read = Fields().Where(field => UnbuiltFields.Names(field) && Reads.Reads(field)).Select(NameOf).Except(ReadToBeChecked).ToList();
        Assert.True(read.Count == 0, $"These fields are read; take them out of UnbuiltFields: {string.Join(", ", read)}");
    }

    [Fact]
    public void WhatIsListedExists()
    {
        foreach (var name in UnbuiltFields.All().Concat(Excuses()))
        {
            var dot = name.LastIndexOf('.');
            Assert.True(SchemaRegistry.Find(name[..dot])?.FindField(name[(dot + 1)..]) is not null, $"There is no field {name}.");
        }
    }

    [Fact]
    public void AFieldWithoutEffectIsNoted()
    {
        var cluster = Envoy.Config.Cluster.V3.Cluster.New();
        var window = Envoy.Config.Cluster.V3.Cluster.CommonLbConfig.New();
        window.UpdateMergeWindow = TimeSpan.FromSeconds(2);
        cluster.CommonLbConfigValue = window;
        var unsupported = new Proxy.Configuration.UnsupportedFeatures();

        UnbuiltFields.Check(cluster.Message, unsupported);

        Assert.Equal("envoy.config.cluster.v3.Cluster.CommonLbConfig.update_merge_window", Assert.Single(unsupported.All).Feature);
    }

    [Fact]
    public void AFieldThatCannotBeLeftOutRefuses()
    {
        var assignment = Envoy.Config.Endpoint.V3.ClusterLoadAssignment.New();
        var group = Envoy.Config.Endpoint.V3.LocalityLbEndpoints.New();
        group.LedsClusterLocalityConfig = Envoy.Config.Endpoint.V3.LedsClusterLocalityConfig.New();
        assignment.Endpoints.Add(group);

        var refusal = Assert.Throws<Proxy.Configuration.ConfigurationException>(
            () => UnbuiltFields.Check(assignment.Message, new Proxy.Configuration.UnsupportedFeatures()));

        Assert.StartsWith("endpoints[0].leds_cluster_locality_config: ", refusal.Message, StringComparison.Ordinal);
    }

    // Packages of messages that somebody configures; the others are spoken.
    private static bool IsConfiguration(string type) =>
        type.StartsWith("envoy.config.", StringComparison.Ordinal) || type.StartsWith("envoy.extensions.", StringComparison.Ordinal)
        || type.StartsWith("istio.", StringComparison.Ordinal) || type.StartsWith("stats.", StringComparison.Ordinal);

    // Of messages that can be in use: those the code knows, and those below the roots by fields that are read.
    private static IEnumerable<FieldDescriptor> Fields()
    {
        var queue = new Queue<MessageType>(Roots.Concat(Reads.Types.Where(IsConfiguration)).Select(name => SchemaRegistry.Find(name)!));
        var seen = new HashSet<string>();
        while (queue.TryDequeue(out var type))
        {
            if (!seen.Add(type.FullName) || type.FullName.StartsWith("google.protobuf.", StringComparison.Ordinal) || !Reads.Knows(type.FullName))
            {
                continue;
            }
            foreach (var field in type.Fields.ToArray())
            {
                yield return field;
                if (field.MessageType is { } nested && Reads.Reads(field))
                {
                    queue.Enqueue(nested);
                }
            }
        }
    }

    private static string NameOf(FieldDescriptor field) => $"{field.ContainingType.FullName}.{field.Name}";

    private static HashSet<string> Excuses()
    {
        var names = new HashSet<string>();
        foreach (var line in string.Join('\n', ToldByCase, RefusedWithItsOwner, ReadOtherwise, NothingToDo).Split('\n'))
        {
            var parts = line.Split(": ");
            names.UnionWith(parts[1].Split(' ').Select(field => $"{parts[0]}.{field}"));
        }
        return names;
    }
}
