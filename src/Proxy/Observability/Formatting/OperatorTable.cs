using System.Net;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Whether a command takes an argument in brackets.</summary>
internal enum ArgumentRule
{
    None,
    Optional,
    Required,
}

/// <summary>A command of the format language.</summary>
/// <param name="Argument">Whether it takes an argument.</param>
/// <param name="Length">Whether it takes a length.</param>
/// <param name="Create">Makes the operator from the command's name and its argument (empty if none).</param>
internal sealed record Command(ArgumentRule Argument, bool Length, Func<string, string, FormatOperator> Create);

/// <summary>All commands by name (Envoy's substitution formatter, 1.40).</summary>
internal static class OperatorTable
{
    private static readonly Dictionary<string, Command> Commands = Build();

    public static Command? Find(string name) => Commands.GetValueOrDefault(name);

    public static string? Protocol(HttpProtocol? protocol) =>
        protocol switch
        {
            HttpProtocol.Http10 => "HTTP/1.0",
            HttpProtocol.Http11 => "HTTP/1.1",
            HttpProtocol.Http2 => "HTTP/2",
            _ => null,
        };

    private static Dictionary<string, Command> Build()
    {
        var table = new Dictionary<string, Command>(StringComparer.Ordinal);
        AddHeaders(table);
        AddTimes(table);
        AddSizes(table);
        AddOutcome(table);
        AddMetadata(table);
        AddDownstreamAddresses(table);
        AddUpstream(table);
        AddProcess(table);
        TlsOperators.AddTo(table);
        return table;
    }

    public static void Text(Dictionary<string, Command> table, string name, TextGetter get) =>
        table[name] = new Command(ArgumentRule.None, false, (_, _) => new TextOperator(get));

    private static void Number(Dictionary<string, Command> table, string name, NumberGetter get) =>
        table[name] = new Command(ArgumentRule.None, false, (_, _) => new NumberOperator(get));

    public static void Time(Dictionary<string, Command> table, string name, TimeGetter get, TimeZoneInfo? zone = null) =>
        table[name] = new Command(ArgumentRule.Optional, false, (_, format) =>
            new TimeOperator(get, format.Length == 0 ? TimeFormat.Default : new TimeFormat(format), zone ?? TimeZoneInfo.Utc));

    private static void AddHeaders(Dictionary<string, Command> table)
    {
        foreach (var (name, source) in new[]
        {
            ("REQ", HeaderSource.Request), ("REQUEST_HEADER", HeaderSource.Request), ("RESP", HeaderSource.Response),
            ("RESPONSE_HEADER", HeaderSource.Response), ("TRAILER", HeaderSource.Trailers),
            ("RESPONSE_TRAILER", HeaderSource.Trailers),
        })
        {
            table[name] = new Command(ArgumentRule.Required, true,
                (command, argument) => new HeaderOperator(command, source, argument));
        }
        table["PATH"] = new Command(ArgumentRule.Optional, true, (_, argument) => new PathOperator(argument));
        table["QUERY_PARAM"] = new Command(ArgumentRule.Required, true, (_, argument) => new QueryParameterOperator(argument));
        table["QUERY_PARAMS"] = new Command(ArgumentRule.None, true, (_, _) => new QueryOperator());
        table["GRPC_STATUS"] = new Command(ArgumentRule.Optional, false, (_, argument) => new GrpcStatusOperator(argument));
        table["GRPC_STATUS_NUMBER"] = new Command(ArgumentRule.None, false, (_, _) => new GrpcStatusOperator("NUMBER"));
        table["REQUESTED_SERVER_NAME"] = new Command(ArgumentRule.Optional, true,
            (_, argument) => new ServerNameOperator(argument));
        Number(table, "REQUEST_HEADERS_BYTES", static (in LogContext context) => context.RequestHeaders?.ByteSize ?? 0);
        Number(table, "RESPONSE_HEADERS_BYTES", static (in LogContext context) => context.ResponseHeaders?.ByteSize ?? 0);
        Number(table, "RESPONSE_TRAILERS_BYTES", static (in LogContext context) => context.ResponseTrailers?.ByteSize ?? 0);
    }

    private static void AddTimes(Dictionary<string, Command> table)
    {
        Time(table, "START_TIME", static (in LogContext context) => context.StreamInfo.StartTime);
        Time(table, "START_TIME_LOCAL", static (in LogContext context) => context.StreamInfo.StartTime, TimeZoneInfo.Local);
        Time(table, "EMIT_TIME", static (in LogContext _) => DateTime.UtcNow);
        Time(table, "EMIT_TIME_LOCAL", static (in LogContext _) => DateTime.UtcNow, TimeZoneInfo.Local);
        Number(table, "DURATION", DurationOperators.Total);
        Number(table, "REQUEST_DURATION", DurationOperators.Request);
        Number(table, "REQUEST_TX_DURATION", DurationOperators.RequestSent);
        Number(table, "RESPONSE_DURATION", DurationOperators.Response);
        Number(table, "RESPONSE_TX_DURATION", DurationOperators.ResponseSent);
        Number(table, "DOWNSTREAM_HANDSHAKE_DURATION", DurationOperators.DownstreamHandshake);
        Number(table, "UPSTREAM_CONNECTION_POOL_READY_DURATION", DurationOperators.PoolReady);
        // Only HTTP/3 connections know their last acknowledgement.
        Number(table, "ROUNDTRIP_DURATION", DurationOperators.None);
        table["COMMON_DURATION"] = new Command(ArgumentRule.Required, false, (_, argument) => DurationOperators.Common(argument));
    }

    private static void AddSizes(Dictionary<string, Command> table)
    {
        Number(table, "BYTES_RECEIVED", static (in LogContext context) => context.StreamInfo.BytesReceived);
        Number(table, "BYTES_SENT", static (in LogContext context) => context.StreamInfo.BytesSent);
        Number(table, "DOWNSTREAM_WIRE_BYTES_SENT", static (in LogContext context) => context.StreamInfo.DownstreamWireBytesSent);
        Number(table, "DOWNSTREAM_WIRE_BYTES_RECEIVED",
            static (in LogContext context) => context.StreamInfo.DownstreamWireBytesReceived);
        Number(table, "UPSTREAM_WIRE_BYTES_SENT", static (in LogContext context) => context.StreamInfo.Upstream?.WireBytesSent ?? 0);
        Number(table, "UPSTREAM_WIRE_BYTES_RECEIVED",
            static (in LogContext context) => context.StreamInfo.Upstream?.WireBytesReceived ?? 0);
        // HTTP/1 has no header compression, and HPACK's own size is not kept apart: both names tell the same.
        foreach (var kind in new[] { "HEADER", "DECOMPRESSED_HEADER" })
        {
            Number(table, $"DOWNSTREAM_{kind}_BYTES_SENT",
                static (in LogContext context) => context.StreamInfo.DownstreamHeaderBytesSent);
            Number(table, $"DOWNSTREAM_{kind}_BYTES_RECEIVED",
                static (in LogContext context) => context.StreamInfo.DownstreamHeaderBytesReceived);
            Number(table, $"UPSTREAM_{kind}_BYTES_SENT",
                static (in LogContext context) => context.StreamInfo.Upstream?.HeaderBytesSent ?? 0);
            Number(table, $"UPSTREAM_{kind}_BYTES_RECEIVED",
                static (in LogContext context) => context.StreamInfo.Upstream?.HeaderBytesReceived ?? 0);
        }
        // Counted by HTTP/3 alone.
        Number(table, "BYTES_RETRANSMITTED", static (in LogContext _) => 0);
        Number(table, "PACKETS_RETRANSMITTED", static (in LogContext _) => 0);
    }

    private static void AddOutcome(Dictionary<string, Command> table)
    {
        Text(table, "PROTOCOL", static (in LogContext context) => Protocol(context.StreamInfo.Protocol));
        Number(table, "RESPONSE_CODE", static (in LogContext context) => context.StreamInfo.ResponseCode);
        table["RESPONSE_CODE_DETAILS"] = new Command(ArgumentRule.Optional, false, (command, argument) =>
            argument switch
            {
                "" => new TextOperator(static (in LogContext context) =>
                    Underscored(context.StreamInfo.ResponseCodeDetails)),
                "ALLOW_WHITESPACES" => new TextOperator(static (in LogContext context) =>
                    context.StreamInfo.ResponseCodeDetails),
                _ => throw new Configuration.ConfigurationException(
                    $"%{command}({argument})% is not understood; the only argument is ALLOW_WHITESPACES."),
            });
        Text(table, "CONNECTION_TERMINATION_DETAILS",
            static (in LogContext context) => NotEmpty(context.StreamInfo.ConnectionTerminationDetails));
        table["RESPONSE_FLAGS"] = new Command(ArgumentRule.None, false, (_, _) => new ResponseFlagsOperator(longNames: false));
        table["RESPONSE_FLAGS_LONG"] = new Command(ArgumentRule.None, false, (_, _) => new ResponseFlagsOperator(longNames: true));
        Text(table, "ROUTE_NAME", static (in LogContext context) => NotEmpty(context.StreamInfo.RouteName));
        Text(table, "VIRTUAL_HOST_NAME", static (in LogContext context) => NotEmpty(context.StreamInfo.VirtualHostName));
        Text(table, "VIRTUAL_CLUSTER_NAME", static (in LogContext context) => NotEmpty(context.StreamInfo.VirtualClusterName));
        Text(table, "FILTER_CHAIN_NAME", static (in LogContext context) => NotEmpty(context.StreamInfo.FilterChainName));
        Text(table, "ACCESS_LOG_TYPE", static (in LogContext context) => AccessLogTypes.Name(context.Type));
        Text(table, "LOCAL_REPLY_BODY", static (in LogContext context) => context.LocalReplyBody);
        // Set by filters of Envoy's contrib folder alone.
        Text(table, "CUSTOM_FLAGS", static (in LogContext _) => null);
        Text(table, "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
            static (in LogContext context) => Underscored(NotEmpty(context.StreamInfo.DownstreamTransportFailureReason)));
        Text(table, "DOWNSTREAM_LOCAL_CLOSE_REASON",
            static (in LogContext context) => NotEmpty(context.StreamInfo.DownstreamLocalCloseReason));
        Text(table, "DOWNSTREAM_DETECTED_CLOSE_TYPE",
            static (in LogContext context) => CloseType(context.StreamInfo.DownstreamDetectedCloseType));
        Text(table, "TRACE_ID", static (in LogContext context) => NotEmpty(context.StreamInfo.TraceId));
        Text(table, "SPAN_ID", static (in LogContext context) => NotEmpty(context.StreamInfo.SpanId));
        Text(table, "STREAM_ID", static (in LogContext context) => context.RequestHeaders?.GetString(KnownHeader.XRequestId));
    }

    private static void AddMetadata(Dictionary<string, Command> table)
    {
        foreach (var (name, get) in new[]
        {
            ("DYNAMIC_METADATA", (MetadataGetter)MetadataOperator.Dynamic), ("CLUSTER_METADATA", MetadataOperator.Cluster),
            ("UPSTREAM_METADATA", MetadataOperator.UpstreamHost),
        })
        {
            table[name] = new Command(ArgumentRule.Required, true,
                (command, argument) => MetadataOperator.Create(command, get, argument));
        }
        table["METADATA"] = new Command(ArgumentRule.Required, true, (_, argument) => MetadataOperator.CreateOfType(argument));
        table["FILTER_STATE"] = new Command(ArgumentRule.Required, true,
            (command, argument) => new FilterStateOperator(command, upstream: false, argument));
        table["CEL"] = new Command(ArgumentRule.Required, true,
            (_, argument) => new CelOperator(CelExpression.Compile(argument), typed: false));
        table["TYPED_CEL"] = new Command(ArgumentRule.Required, true,
            (_, argument) => new CelOperator(CelExpression.Compile(argument), typed: true));
        table["UPSTREAM_FILTER_STATE"] = new Command(ArgumentRule.Required, true,
            (command, argument) => new FilterStateOperator(command, upstream: true, argument));
    }

    private static void AddDownstreamAddresses(Dictionary<string, Command> table)
    {
        Addresses(table, "DOWNSTREAM_REMOTE", static (in LogContext context) => context.StreamInfo.Downstream.RemoteAddress);
        Addresses(table, "DOWNSTREAM_DIRECT_REMOTE",
            static (in LogContext context) => context.StreamInfo.Downstream.DirectRemoteAddress);
        Addresses(table, "DOWNSTREAM_LOCAL", static (in LogContext context) => context.StreamInfo.Downstream.LocalAddress);
        Addresses(table, "DOWNSTREAM_DIRECT_LOCAL",
            static (in LogContext context) => context.StreamInfo.Downstream.DirectLocalAddress);
        Number(table, "CONNECTION_ID", static (in LogContext context) => (long)context.StreamInfo.Downstream.ConnectionId);
        Text(table, "TLS_JA3_FINGERPRINT", static (in LogContext context) => NotEmpty(context.StreamInfo.Downstream.Ja3Hash));
        Text(table, "TLS_JA4_FINGERPRINT", static (in LogContext context) => NotEmpty(context.StreamInfo.Downstream.Ja4Hash));
    }

    private static void Addresses(Dictionary<string, Command> table, string prefix, AddressGetter get)
    {
        table[$"{prefix}_ADDRESS"] = Address(get, AddressPart.Whole);
        table[$"{prefix}_PORT"] = Address(get, AddressPart.Port);
        table[$"{prefix}_ADDRESS_ENDPOINT_ID"] = Address(get, AddressPart.EndpointId);
        table[$"{prefix}_ADDRESS_WITHOUT_PORT"] = new Command(ArgumentRule.Optional, false, (command, argument) =>
            new AddressOperator(get, AddressPart.WithoutPort, MaskLength(command, argument)));
    }

    private static Command Address(AddressGetter get, AddressPart part) =>
        new(ArgumentRule.None, false, (_, _) => new AddressOperator(get, part));

    private static int MaskLength(string command, string argument)
    {
        if (argument.Length == 0)
        {
            return -1;
        }
        // 128: bits of an IPv6 address.
        return int.TryParse(argument, out var bits) && bits is >= 0 and <= 128
            ? bits
            : throw new Configuration.ConfigurationException(
                $"%{command}({argument})% has no valid mask length; write a number from 0 to 128.");
    }

    private static void AddUpstream(Dictionary<string, Command> table)
    {
        Addresses(table, "UPSTREAM_LOCAL", static (in LogContext context) => context.StreamInfo.Upstream?.LocalAddress);
        Addresses(table, "UPSTREAM_REMOTE", static (in LogContext context) =>
            context.StreamInfo.Upstream is { } upstream ? upstream.RemoteAddress ?? upstream.Host?.Address : null);
        table["UPSTREAM_HOST"] = Address(static (in LogContext context) => context.StreamInfo.Upstream?.Host?.Address, AddressPart.Whole);
        Text(table, "UPSTREAM_HOST_NAME", HostName);
        Text(table, "UPSTREAM_HOST_NAME_WITHOUT_PORT", static (in LogContext context) => WithoutPort(HostName(context)));
        Text(table, "UPSTREAM_CLUSTER", static (in LogContext context) => context.StreamInfo.UpstreamCluster?.ObservabilityName);
        Text(table, "UPSTREAM_CLUSTER_RAW", static (in LogContext context) => context.StreamInfo.UpstreamCluster?.Name);
        Text(table, "UPSTREAM_PROTOCOL", static (in LogContext context) => Protocol(context.StreamInfo.Upstream?.Protocol));
        Number(table, "UPSTREAM_CONNECTION_ID",
            static (in LogContext context) => (long)(context.StreamInfo.Upstream?.ConnectionId ?? 0));
        Number(table, "UPSTREAM_REQUEST_ATTEMPT_COUNT", static (in LogContext context) => context.StreamInfo.AttemptCount);
        Text(table, "UPSTREAM_TRANSPORT_FAILURE_REASON", static (in LogContext context) =>
            Underscored(NotEmpty(context.StreamInfo.Upstream?.TransportFailureReason)));
        Text(table, "UPSTREAM_LOCAL_CLOSE_REASON",
            static (in LogContext context) => NotEmpty(context.StreamInfo.Upstream?.LocalCloseReason));
        Text(table, "UPSTREAM_DETECTED_CLOSE_TYPE", static (in LogContext context) =>
            context.StreamInfo.Upstream is { } upstream ? CloseType(upstream.DetectedCloseType) : null);
    }

    private static void AddProcess(Dictionary<string, Command> table)
    {
        table["HOSTNAME"] = new Command(ArgumentRule.None, true, (_, _) => Constant(Dns.GetHostName()));
        table["ENVIRONMENT"] = new Command(ArgumentRule.Required, true,
            (_, name) => Constant(Environment.GetEnvironmentVariable(name)));
        Text(table, "UNIQUE_ID", static (in LogContext _) => Guid.NewGuid().ToString());
        table["COALESCE"] = new Command(ArgumentRule.Required, true, (_, argument) => FormatParser.ParseCoalesce(argument));
    }

    private static TextOperator Constant(string? value) => new((in LogContext _) => value);

    public static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string? HostName(in LogContext context) =>
        context.StreamInfo.Upstream?.Host is { } host ? host.Hostname.Length > 0 ? host.Hostname : host.AddressText : null;

    private static string? WithoutPort(string? name)
    {
        var colon = name?.LastIndexOf(':') ?? -1;
        return colon > 0 && int.TryParse(name.AsSpan(colon + 1), out _) ? name![..colon] : name;
    }

    // Log lines are split at blanks by those who read them.
    private static string? Underscored(string? text) => text?.Contains(' ') == true ? text.Replace(' ', '_') : text;

    private static string CloseType(DetectedCloseType type) =>
        type switch
        {
            DetectedCloseType.LocalReset => "LocalReset",
            DetectedCloseType.RemoteReset => "RemoteReset",
            _ => "Normal",
        };
}
