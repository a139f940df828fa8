using System.Globalization;
using System.Net;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Xds.Protobuf;
using HttpInput = Envoy.Type.Matcher.V3;
using NetworkInput = Envoy.Extensions.Matching.CommonInputs.Network.V3;

namespace MeshProxy.Proxy.Matching;

/// <summary>One input of a match tree: a text out of the context, or null when it is not there.</summary>
public abstract class MatchInput
{
    public abstract string? Get(in MatchContext context);

    public static MatchInput Compile(Any? any, string name, string field) => any?.TypeName switch
    {
        "envoy.type.matcher.v3.HttpRequestHeaderMatchInput" => new Header(
            any.Unpack<HttpInput.HttpRequestHeaderMatchInput>().HeaderName, static (in MatchContext context) => context.RequestHeaders),
        "envoy.type.matcher.v3.HttpRequestTrailerMatchInput" => new Header(
            any.Unpack<HttpInput.HttpRequestTrailerMatchInput>().HeaderName, static (in MatchContext context) => context.RequestTrailers),
        "envoy.type.matcher.v3.HttpResponseHeaderMatchInput" => new Header(
            any.Unpack<HttpInput.HttpResponseHeaderMatchInput>().HeaderName, static (in MatchContext context) => context.ResponseHeaders),
        "envoy.type.matcher.v3.HttpResponseTrailerMatchInput" => new Header(
            any.Unpack<HttpInput.HttpResponseTrailerMatchInput>().HeaderName, static (in MatchContext context) => context.ResponseTrailers),
        "envoy.type.matcher.v3.HttpRequestQueryParamMatchInput" => new Query(
            any.Unpack<HttpInput.HttpRequestQueryParamMatchInput>().QueryParam),
        "envoy.type.matcher.v3.HttpResponseStatusCodeMatchInput" => new Fact(static (in MatchContext context) =>
            context.ResponseHeaders?.GetString(KnownHeader.Status)),
        "envoy.type.matcher.v3.HttpResponseStatusCodeClassMatchInput" => new Fact(static (in MatchContext context) =>
            context.ResponseHeaders?.GetString(KnownHeader.Status) is { Length: 3 } code ? $"{code[0]}xx" : null),
        "envoy.type.matcher.v3.HttpResponseLocalReplyMatchInput" => new Fact(static (in MatchContext context) =>
            context.IsLocalReply ? "true" : "false"),
        "envoy.extensions.matching.common_inputs.network.v3.DestinationIPInput" => new Fact(static (in MatchContext context) =>
            Ip(context.StreamInfo.Downstream.LocalAddress)),
        "envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput" => new Fact(static (in MatchContext context) =>
            Port(context.StreamInfo.Downstream.LocalAddress)),
        "envoy.extensions.matching.common_inputs.network.v3.SourceIPInput" => new Fact(static (in MatchContext context) =>
            Ip(context.StreamInfo.Downstream.RemoteAddress)),
        "envoy.extensions.matching.common_inputs.network.v3.SourcePortInput" => new Fact(static (in MatchContext context) =>
            Port(context.StreamInfo.Downstream.RemoteAddress)),
        "envoy.extensions.matching.common_inputs.network.v3.DirectSourceIPInput" => new Fact(static (in MatchContext context) =>
            Ip(context.StreamInfo.Downstream.DirectRemoteAddress)),
        "envoy.extensions.matching.common_inputs.network.v3.SourceTypeInput" => new Fact(static (in MatchContext context) =>
            IsLocal(context.StreamInfo.Downstream) ? "local" : null),
        "envoy.extensions.matching.common_inputs.network.v3.ServerNameInput" => new Fact(static (in MatchContext context) =>
            NotEmpty(context.StreamInfo.Downstream.RequestedServerName)),
        "envoy.extensions.matching.common_inputs.network.v3.TransportProtocolInput" => new Fact(static (in MatchContext context) =>
            NotEmpty(context.StreamInfo.Downstream.DetectedTransportProtocol)),
        "envoy.extensions.matching.common_inputs.network.v3.ApplicationProtocolInput" => new Fact(static (in MatchContext context) =>
            Protocols(context.StreamInfo.Downstream.RequestedApplicationProtocols)),
        "envoy.extensions.matching.common_inputs.network.v3.FilterStateInput" => new FilterStateValue(
            any.Unpack<NetworkInput.FilterStateInput>().Key),
        "envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput" => new MetadataText(
            any.Unpack<NetworkInput.DynamicMetadataInput>()),
        "envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput" => new Fact(static (in MatchContext context) =>
            Joined(context.StreamInfo.DownstreamTls?.UriSansPeerCertificate)),
        "envoy.extensions.matching.common_inputs.ssl.v3.DnsSanInput" => new Fact(static (in MatchContext context) =>
            Joined(context.StreamInfo.DownstreamTls?.DnsSansPeerCertificate)),
        "envoy.extensions.matching.common_inputs.ssl.v3.SubjectInput" => new Fact(static (in MatchContext context) =>
            NotEmpty(context.StreamInfo.DownstreamTls?.SubjectPeerCertificate)),
        _ => throw new ConfigurationException(
            $"{field}: didn't find a registered implementation for the matching input '{name}' with type '{any?.TypeName}'; use another input."),
    };

    private static string? Ip(EndPoint address) => (address as IPEndPoint)?.Address.ToString();

    private static string? Port(EndPoint address) => (address as IPEndPoint)?.Port.ToString(CultureInfo.InvariantCulture);

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string? Joined(IReadOnlyList<string>? texts) => texts is { Count: > 0 } ? string.Join(',', texts) : null;

    private static string? Protocols(IReadOnlyList<string> protocols) =>
        protocols.Count == 0 ? null : string.Join(',', protocols.Select(protocol => $"'{protocol}'"));

    private static bool IsLocal(Transport.ConnectionInfo info) =>
        info.RemoteAddress is IPEndPoint remote && info.LocalAddress is IPEndPoint local
            // The first loopback addresses alone, as in filter_chain_match.
            ? remote.Address.Equals(IPAddress.Loopback) || remote.Address.Equals(IPAddress.IPv6Loopback)
                || remote.Address.Equals(local.Address)
            : info.RemoteAddress is System.Net.Sockets.UnixDomainSocketEndPoint;

    private sealed class Fact(MatchFact get) : MatchInput
    {
        public override string? Get(in MatchContext context) => get(context);
    }

    private delegate string? MatchFact(in MatchContext context);

    private delegate HeaderMap? MatchHeaders(in MatchContext context);

    private sealed class Header(string header, MatchHeaders headers) : MatchInput
    {
        private readonly byte[] _name = Encoding.ASCII.GetBytes(header.ToLowerInvariant());

        public override string? Get(in MatchContext context) => headers(context)?.GetJoined(_name);
    }

    private sealed class Query(string parameter) : MatchInput
    {
        private readonly byte[] _name = Encoding.UTF8.GetBytes(parameter);

        public override string? Get(in MatchContext context)
        {
            var path = context.RequestHeaders is { } headers ? headers.Get(KnownHeader.Path) : default;
            var start = path.IndexOf((byte)'?');
            return start >= 0 && QueryString.TryGet(path[(start + 1)..], _name, out var value)
                ? Encoding.Latin1.GetString(value)
                : null;
        }
    }

    private sealed class FilterStateValue(string key) : MatchInput
    {
        public override string? Get(in MatchContext context) => context.StreamInfo.FilterState.Get(key)?.SerializeAsString();
    }

    private sealed class MetadataText(NetworkInput.DynamicMetadataInput config) : MatchInput
    {
        private readonly string _filter = config.Filter;
        private readonly string[] _path = [.. config.Path.Select(segment => segment.Key)];

        public override string? Get(in MatchContext context) =>
            MetadataPath.Find(context.StreamInfo.DynamicMetadata, _filter, _path) is Observability.MetadataValue.StringNode node
                ? node.Value
                : null;
    }
}
