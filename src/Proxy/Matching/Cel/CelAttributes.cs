using System.Net;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Envoy's attributes (docs: "Attributes"), each read from the exchange when an expression asks for it.</summary>
internal static class CelAttributes
{
    private const long TicksPerNanosecondDivisor = 100;

    private static readonly Dictionary<(string Root, string Field), CelAttribute> Table = Build();

    private static readonly Dictionary<string, CelAttribute> Roots = BuildRoots();

    public static CelAttribute? Root(string name) => Roots.GetValueOrDefault(name);

    /// <summary>The attribute; one without value for a name the root does not know; null when the root is no group of attributes.</summary>
    public static CelAttribute? Find(string root, string field)
    {
        if (Table.TryGetValue((root, field), out var get))
        {
            return get;
        }
        return root is "request" or "response" or "source" or "destination" or "connection" or "upstream" or "xds"
            ? static (in LogContext _) => null
            : null;
    }

    private static Dictionary<string, CelAttribute> BuildRoots()
    {
        var roots = new Dictionary<string, CelAttribute>(StringComparer.Ordinal)
        {
            ["metadata"] = static (in LogContext context) => CelMetadata.Of(context.StreamInfo.DynamicMetadata),
            ["filter_state"] = static (in LogContext context) => State(context.StreamInfo.FilterState),
            ["upstream_filter_state"] = static (in LogContext context) =>
                context.StreamInfo.Upstream is { } upstream ? State(upstream.FilterState) : null,
        };
        foreach (var group in Table.Keys.Select(key => key.Root).Distinct())
        {
            var fields = Table.Where(entry => entry.Key.Root == group).ToDictionary(entry => entry.Key.Field, entry => entry.Value);
            roots[group] = (in LogContext context) =>
            {
                var seen = context;
                return CelValue.Of(new CelObject(
                    name => fields.TryGetValue(name, out var get) ? get(seen) : null, () => fields.Keys));
            };
        }
        return roots;
    }

    private static Dictionary<(string, string), CelAttribute> Build()
    {
        var table = new Dictionary<(string, string), CelAttribute>();
        AddRequest(table);
        AddResponse(table);
        AddConnection(table);
        AddUpstream(table);
        AddConfiguration(table);
        return table;
    }

    private static void AddRequest(Dictionary<(string, string), CelAttribute> table)
    {
        Header("path", KnownHeader.Path);
        Header("host", KnownHeader.Authority);
        Header("scheme", KnownHeader.Scheme);
        Header("method", KnownHeader.Method);
        Header("referer", KnownHeader.Referer);
        Header("useragent", KnownHeader.UserAgent);
        Header("id", KnownHeader.XRequestId);
        Add("url_path", static (in LogContext context) =>
            context.RequestHeaders?.GetString(KnownHeader.Path) is { } path ? Text(path.Split('?', '#')[0]) : null);
        Add("query", static (in LogContext context) =>
            context.RequestHeaders is { } headers && headers.TryGet(KnownHeader.Path, out var path)
                ? Text(System.Text.Encoding.Latin1.GetString(QueryText.Of(path)))
                : null);
        Add("headers", static (in LogContext context) => Headers(context.RequestHeaders));
        Add("time", static (in LogContext context) => CelValue.Of(context.StreamInfo.StartTime));
        Add("protocol", static (in LogContext context) => Text(OperatorTable.Protocol(context.StreamInfo.Protocol)));
        Add("duration", static (in LogContext context) =>
            context.StreamInfo.RequestComplete == 0 ? null
            : CelValue.Of(new TimeSpan(
                (context.StreamInfo.RequestComplete - context.StreamInfo.StartNanoseconds) / TicksPerNanosecondDivisor)));
        Add("size", static (in LogContext context) => Size(context.RequestHeaders, context.StreamInfo.BytesReceived));
        Add("total_size", static (in LogContext context) =>
            CelValue.Of(context.StreamInfo.BytesReceived + (context.RequestHeaders?.ByteSize ?? 0)));

        void Add(string name, CelAttribute get) => table[("request", name)] = get;

        void Header(string name, KnownHeader header) =>
            Add(name, (in LogContext context) => Text(context.RequestHeaders?.GetString(header)));
    }

    private static void AddResponse(Dictionary<(string, string), CelAttribute> table)
    {
        Add("code", static (in LogContext context) =>
            context.StreamInfo.ResponseCode == 0 ? null : CelValue.Of((long)context.StreamInfo.ResponseCode));
        Add("code_details", static (in LogContext context) => Text(context.StreamInfo.ResponseCodeDetails));
        Add("flags", static (in LogContext context) => CelValue.Of((long)context.StreamInfo.ResponseFlags));
        Add("grpc_status", static (in LogContext context) =>
            GrpcStatusNames.Of(context) is { } status ? CelValue.Of(status) : null);
        Add("headers", static (in LogContext context) => Headers(context.ResponseHeaders));
        Add("trailers", static (in LogContext context) => Headers(context.ResponseTrailers));
        Add("size", static (in LogContext context) => CelValue.Of(context.StreamInfo.BytesSent));
        Add("total_size", static (in LogContext context) => CelValue.Of(
            context.StreamInfo.BytesSent + (context.ResponseHeaders?.ByteSize ?? 0) + (context.ResponseTrailers?.ByteSize ?? 0)));
        Add("backend_latency", static (in LogContext context) =>
            context.StreamInfo.Upstream is { FirstTxByteSent: > 0, LastRxByteReceived: > 0 } upstream
                ? CelValue.Of(new TimeSpan((upstream.LastRxByteReceived - upstream.FirstTxByteSent) / TicksPerNanosecondDivisor))
                : null);

        void Add(string name, CelAttribute get) => table[("response", name)] = get;
    }

    private static void AddConnection(Dictionary<(string, string), CelAttribute> table)
    {
        table[("source", "address")] = static (in LogContext context) => Address(context.StreamInfo.Downstream.RemoteAddress);
        table[("source", "port")] = static (in LogContext context) => Port(context.StreamInfo.Downstream.RemoteAddress);
        table[("destination", "address")] = static (in LogContext context) => Address(context.StreamInfo.Downstream.LocalAddress);
        table[("destination", "port")] = static (in LogContext context) => Port(context.StreamInfo.Downstream.LocalAddress);
        Add("id", static (in LogContext context) => CelValue.Of(context.StreamInfo.Downstream.ConnectionId));
        Add("mtls", static (in LogContext context) =>
            CelValue.Of(context.StreamInfo.DownstreamTls is { PeerCertificatePresented: true }));
        Add("requested_server_name", static (in LogContext context) => Text(context.StreamInfo.Downstream.RequestedServerName));
        Add("termination_details", static (in LogContext context) =>
            Text(OperatorTable.NotEmpty(context.StreamInfo.ConnectionTerminationDetails)));
        Add("transport_failure_reason", static (in LogContext context) =>
            Text(OperatorTable.NotEmpty(context.StreamInfo.DownstreamTransportFailureReason)));
        AddTls(table, "connection", static (in LogContext context) => context.StreamInfo.DownstreamTls);

        void Add(string name, CelAttribute get) => table[("connection", name)] = get;
    }

    private static void AddUpstream(Dictionary<(string, string), CelAttribute> table)
    {
        Add("address", static (in LogContext context) => Address(context.StreamInfo.Upstream?.Host?.Address));
        Add("port", static (in LogContext context) => Port(context.StreamInfo.Upstream?.Host?.Address));
        Add("local_address", static (in LogContext context) => Address(context.StreamInfo.Upstream?.LocalAddress));
        Add("transport_failure_reason", static (in LogContext context) =>
            Text(OperatorTable.NotEmpty(context.StreamInfo.Upstream?.TransportFailureReason)));
        Add("request_attempt_count", static (in LogContext context) => CelValue.Of((ulong)context.StreamInfo.AttemptCount));
        Add("cx_pool_ready_duration", static (in LogContext context) =>
            context.StreamInfo.Upstream is { PoolRequested: > 0, PoolReady: > 0 } upstream
                ? CelValue.Of(new TimeSpan((upstream.PoolReady - upstream.PoolRequested) / TicksPerNanosecondDivisor))
                : null);
        Add("locality", static (in LogContext context) =>
            context.StreamInfo.Upstream?.Host?.Locality is not { } locality ? null
            : CelMetadata.Of(new Dictionary<string, MetadataValue>
            {
                ["region"] = MetadataValue.From(locality.Region),
                ["zone"] = MetadataValue.From(locality.Zone),
                ["sub_zone"] = MetadataValue.From(locality.SubZone),
            }));
        AddTls(table, "upstream", static (in LogContext context) => context.StreamInfo.Upstream?.Tls);

        void Add(string name, CelAttribute get) => table[("upstream", name)] = get;
    }

    private delegate ITlsConnectionInfo? SessionGetter(in LogContext context);

    private static void AddTls(Dictionary<(string, string), CelAttribute> table, string root, SessionGetter session)
    {
        Add("tls_version", static tls => tls.TlsVersion);
        Add("subject_local_certificate", static tls => tls.SubjectLocalCertificate);
        Add("subject_peer_certificate", static tls => tls.SubjectPeerCertificate);
        Add("uri_san_local_certificate", static tls => First(tls.UriSansLocalCertificate));
        Add("uri_san_peer_certificate", static tls => First(tls.UriSansPeerCertificate));
        Add("dns_san_local_certificate", static tls => First(tls.DnsSansLocalCertificate));
        Add("dns_san_peer_certificate", static tls => First(tls.DnsSansPeerCertificate));
        Add("sha256_peer_certificate_digest", static tls => tls.Sha256PeerCertificateDigest);

        void Add(string name, Func<ITlsConnectionInfo, string?> get) =>
            table[(root, name)] = (in LogContext context) =>
                session(context) is { } tls && get(tls) is { Length: > 0 } text ? CelValue.Of(text) : null;
    }

    private static void AddConfiguration(Dictionary<(string, string), CelAttribute> table)
    {
        Add("cluster_name", static (in LogContext context) => Text(context.StreamInfo.UpstreamCluster?.Name));
        Add("cluster_metadata", static (in LogContext context) => Metadata(context.StreamInfo.UpstreamCluster?.Metadata));
        Add("route_name", static (in LogContext context) => Text(OperatorTable.NotEmpty(context.StreamInfo.RouteName)));
        Add("route_metadata", static (in LogContext context) => Metadata(context.StreamInfo.Route?.Metadata));
        Add("virtual_host_name", static (in LogContext context) => Text(OperatorTable.NotEmpty(context.StreamInfo.VirtualHostName)));
        Add("virtual_host_metadata", static (in LogContext context) => Metadata(context.StreamInfo.Route?.VirtualHost.Metadata));
        Add("upstream_host_metadata", static (in LogContext context) => Metadata(context.StreamInfo.Upstream?.Host?.Metadata));
        Add("filter_chain_name", static (in LogContext context) => Text(context.StreamInfo.FilterChainName));
        Add("listener_metadata", static (in LogContext context) => Metadata(context.StreamInfo.Listener?.Metadata));
        Add("listener_direction", static (in LogContext context) =>
            context.StreamInfo.Listener is { } listener ? CelValue.Of((long)listener.Direction) : null);

        void Add(string name, CelAttribute get) => table[("xds", name)] = get;
    }

    private static CelValue? Text(string? text) => text is null ? null : CelValue.Of(text);

    private static CelValue? Headers(HeaderMap? headers) => headers is null ? null : CelValue.Of(new CelHeaders(headers));

    private static CelValue? Metadata(DynamicMetadata? metadata) => metadata is null ? null : CelMetadata.Of(metadata);

    // The announced length when there is one, for it is known before the body has come.
    private static CelValue? Size(HeaderMap? headers, long received) =>
        headers is not null && headers.TryGet(KnownHeader.ContentLength, out var length)
            && System.Buffers.Text.Utf8Parser.TryParse(length, out long announced, out var read) && read == length.Length
            ? CelValue.Of(announced)
            : CelValue.Of(received);

    private static CelValue? Address(EndPoint? address) => address is null ? null : CelValue.Of(address.ToString()!);

    private static CelValue? Port(EndPoint? address) => address is IPEndPoint ip ? CelValue.Of((long)ip.Port) : null;

    private static string? First(IReadOnlyList<string> names) => names.Count > 0 ? names[0] : null;

    private static CelValue State(FilterState state) =>
        CelValue.Of(new CelObject(
            name => state.Get(name) switch
            {
                null => null,
                ICelObject own => own.ToCel(),
                var other => other.SerializeAsString() is { } text ? CelValue.Of(System.Text.Encoding.UTF8.GetBytes(text)) : null,
            },
            () => []));
}

/// <summary>An object of the filter state that has a structure for expressions; others are their bytes.</summary>
public interface ICelObject
{
    CelValue ToCel();
}
