using Envoy.Service.Auth.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Transport;
using HeaderMapMessage = Envoy.Config.Core.V3.HeaderMap;
using HeaderValue = Envoy.Config.Core.V3.HeaderValue;
using Metadata = Envoy.Config.Core.V3.Metadata;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>Makes the questions that are put to an authorization service (Envoy's CheckRequestUtils).</summary>
internal static class CheckRequests
{
    /// <param name="maxBodyBytes">0 asks without the body.</param>
    public static CheckRequest ForRequest(IStreamDecoderFilterCallbacks stream, HeaderMap headers, CheckContents settings,
        IReadOnlyDictionary<string, string> extensions, Metadata? metadata, Metadata? routeMetadata, uint maxBodyBytes)
    {
        var attributes = AttributeContext.New();
        attributes.Source = PeerOf(stream.Connection, headers.GetString(KnownHeader.EnvoyDownstreamServiceCluster) ?? "", settings);
        attributes.Destination = OwnOf(stream.Connection, "", settings);
        var request = AttributeContext.Request.New();
        request.Time = stream.StreamInfo.StartTime;
        request.Http = HttpOf(stream, headers, settings, maxBodyBytes);
        attributes.RequestValue = request;
        foreach (var (key, value) in extensions)
        {
            attributes.ContextExtensions.Set(key, value);
        }
        attributes.MetadataContext = metadata ?? Metadata.New();
        attributes.RouteMetadataContext = routeMetadata ?? Metadata.New();
        return Complete(attributes, stream.Connection, settings);
    }

    public static CheckRequest ForConnection(Connection connection, CheckContents settings, Metadata? metadata)
    {
        var attributes = AttributeContext.New();
        attributes.Source = PeerOf(connection, "", settings);
        attributes.Destination = OwnOf(connection, connection.Info.RequestedServerName, settings);
        if (metadata is { } context)
        {
            attributes.MetadataContext = context;
        }
        return Complete(attributes, connection, settings);
    }

    private static CheckRequest Complete(AttributeContext attributes, Connection connection, CheckContents settings)
    {
        if (settings.IncludeTlsSession)
        {
            var session = AttributeContext.TLSSession.New();
            if (connection.Tls is { Sni.Length: > 0 } tls)
            {
                session.Sni = tls.Sni;
            }
            attributes.TlsSession = session;
        }
        var check = CheckRequest.New();
        check.Attributes = attributes;
        return check;
    }

    private static AttributeContext.Peer PeerOf(Connection connection, string service, CheckContents settings)
    {
        var peer = AttributeContext.Peer.New();
        peer.Address = AddressMessages.Of(connection.Info.RemoteAddress);
        peer.Service = service;
        if (connection.Tls is { } tls)
        {
            peer.Principal = Principal(tls.UriSansPeerCertificate, tls.DnsSansPeerCertificate, tls.SubjectPeerCertificate);
            if (settings.IncludePeerCertificate)
            {
                peer.Certificate = tls.UrlEncodedPemPeerCertificate;
            }
        }
        return peer;
    }

    private static AttributeContext.Peer OwnOf(Connection connection, string service, CheckContents settings)
    {
        var own = AttributeContext.Peer.New();
        own.Address = AddressMessages.Of(connection.Info.LocalAddress);
        own.Service = service;
        if (connection.Tls is { } tls)
        {
            own.Principal = Principal(tls.UriSansLocalCertificate, tls.DnsSansLocalCertificate, tls.SubjectLocalCertificate);
        }
        foreach (var (key, value) in settings.DestinationLabels)
        {
            own.Labels.Set(key, value);
        }
        return own;
    }

    private static string Principal(IReadOnlyList<string> uris, IReadOnlyList<string> names, string subject) =>
        uris.Count > 0 ? uris[0] : names.Count > 0 ? names[0] : subject;

    private static AttributeContext.HttpRequest HttpOf(
        IStreamDecoderFilterCallbacks stream, HeaderMap headers, CheckContents settings, uint maxBodyBytes)
    {
        var http = AttributeContext.HttpRequest.New();
        http.Id = stream.StreamId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Method = Utf8Text.Sanitize(headers.Get(KnownHeader.Method));
        http.Path = Utf8Text.Sanitize(headers.Get(KnownHeader.Path));
        http.Host = Utf8Text.Sanitize(headers.Get(KnownHeader.Authority));
        http.Scheme = Utf8Text.Sanitize(headers.Get(KnownHeader.Scheme));
        http.Size = stream.StreamInfo.BytesReceived;
        http.Protocol = stream.StreamInfo.Protocol switch
        {
            HttpProtocol.Http10 => "HTTP/1.0",
            HttpProtocol.Http11 => "HTTP/1.1",
            HttpProtocol.Http2 => "HTTP/2",
            _ => "",
        };
        var sink = new HeaderSink(http, settings.EncodeRawHeaders);
        // Pseudo headers stand first in Envoy's maps.
        AddHeaders(sink, headers, settings, pseudo: true);
        AddHeaders(sink, headers, settings, pseudo: false);
        AddBody(http, sink, stream.DecodingBuffer, settings, maxBodyBytes);
        return http;
    }

    private static void AddHeaders(in HeaderSink sink, HeaderMap headers, CheckContents settings, bool pseudo)
    {
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            var name = headers.Name(i);
            if (headers.Known(i).IsPseudo() == pseudo && !name.SequenceEqual(AuthorizationHeaders.PartialBody)
                && !settings.DisallowedHeaders.Match(name) && settings.AllowedHeaders?.Match(name) != false)
            {
                sink.Add(name, headers.Value(i));
            }
        }
    }

    private static void AddBody(
        AttributeContext.HttpRequest http, in HeaderSink sink, ByteBuffer? buffer, CheckContents settings, uint maxBodyBytes)
    {
        if (maxBodyBytes == 0 || buffer is null)
        {
            return;
        }
        var body = new byte[Math.Min(buffer.Length, maxBodyBytes)];
        buffer.CopyTo(body);
        if (settings.PackAsBytes)
        {
            http.RawBody = body;
        }
        else
        {
            http.Body = Utf8Text.Sanitize(body);
        }
        sink.Add(AuthorizationHeaders.PartialBody, body.Length != buffer.Length ? "true"u8 : "false"u8);
    }

    /// <summary>The headers of a question in either form; in the map equal names are joined with a comma.</summary>
    private readonly struct HeaderSink
    {
        private readonly AttributeContext.HttpRequest _http;
        private readonly HeaderMapMessage? _raw;

        public HeaderSink(AttributeContext.HttpRequest http, bool raw)
        {
            _http = http;
            if (raw)
            {
                var map = HeaderMapMessage.New();
                http.HeaderMap = map;
                _raw = map;
            }
        }

        public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (_raw is { } raw)
            {
                var header = HeaderValue.New();
                header.Key = Utf8Text.Sanitize(name);
                header.RawValue = value.ToArray();
                raw.Headers.Add(header);
                return;
            }
            var key = Utf8Text.Sanitize(name);
            var text = Utf8Text.Sanitize(value);
            _http.Headers.Set(key, _http.Headers.TryGetValue(key, out var before) ? $"{before},{text}" : text);
        }
    }
}
