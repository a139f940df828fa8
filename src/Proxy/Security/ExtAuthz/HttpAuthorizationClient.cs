using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.HeaderAppendAction;
using CheckRequest = Envoy.Service.Auth.V3.CheckRequest;
using HeaderValueOption = Envoy.Config.Core.V3.HeaderValueOption;
using HttpService = Envoy.Extensions.Filters.Http.ExtAuthz.V3.HttpService;
using RetryPolicy = Envoy.Config.Route.V3.RetryPolicy;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>Asks a service by a copy of the request: 200 allows, 5xx is an error, anything else is the answer to the client.</summary>
internal sealed class HttpAuthorizationClient : IAuthorizationClient
{
    /// <summary>Envoy's default of server_uri.timeout here: 200 ms.</summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMilliseconds(200);

    private readonly IClusterManager _clusters;
    private readonly string _cluster;
    private readonly TimeSpan _timeout;
    private readonly RetryPolicy? _retry;
    private readonly string _pathPrefix;
    private readonly string _pathOverride;
    private readonly HeaderParser _headers;
    private readonly HeaderNameMatcher _toUpstream;
    private readonly HeaderNameMatcher _toUpstreamAppended;
    private readonly HeaderNameMatcher _toClient;
    private readonly HeaderNameMatcher _toClientOnSuccess;
    private readonly HeaderNameMatcher _toMetadata;

    public HttpAuthorizationClient(HttpService config, FactoryContext context, string field)
    {
        var uri = config.ServerUri ?? throw new ConfigurationException($"{field}.server_uri: the service has no address; set it.");
        _clusters = context.Clusters;
        _cluster = uri.Cluster;
        _timeout = uri.Timeout ?? DefaultTimeout;
        _retry = config.RetryPolicy is { } retry
            ? CoreRetryPolicy.ToRoute(retry, retry.RetryOn.Length > 0 ? retry.RetryOn : CoreRetryPolicy.DefaultRetryOn)
            : null;
        if (config.PathPrefix.Length > 0 && config.PathOverride.Length > 0)
        {
            throw new ConfigurationException($"{field}: path_prefix and path_override exclude each other; set one.");
        }
        _pathPrefix = PathOf(config.PathPrefix, $"{field}.path_prefix");
        _pathOverride = PathOf(config.PathOverride, $"{field}.path_override");
        _headers = HeadersOf(config, field);
        var answer = config.AuthorizationResponse;
        field += ".authorization_response";
        _toUpstream = HeaderNameMatcher.Compile(answer?.AllowedUpstreamHeaders, $"{field}.allowed_upstream_headers");
        _toUpstreamAppended = HeaderNameMatcher.Compile(
            answer?.AllowedUpstreamHeadersToAppend, $"{field}.allowed_upstream_headers_to_append");
        _toClient = answer?.AllowedClientHeaders is { Patterns.Count: > 0 } told
            ? HeaderNameMatcher.Compile(told, $"{field}.allowed_client_headers",
                ":status", "content-length", ":path", ":authority", "www-authenticate", "location")
            : HeaderNameMatcher.AllBut(":authority");
        _toClientOnSuccess = HeaderNameMatcher.Compile(
            answer?.AllowedClientHeadersOnSuccess, $"{field}.allowed_client_headers_on_success");
        _toMetadata = HeaderNameMatcher.Compile(answer?.DynamicMetadataFromHeaders, $"{field}.dynamic_metadata_from_headers");
    }

    public IAsyncRequest? Check(CheckRequest request, in CheckContext context, IAuthorizationCallbacks callbacks)
    {
        if (_clusters.AsyncClient(_cluster) is not { } client)
        {
            callbacks.OnComplete(CheckResult.Failed);
            return null;
        }
        var asked = request.Attributes!.Value.RequestValue!.Value.Http!.Value;
        var body = asked.RawBody.Length > 0 ? asked.RawBody : Encoding.UTF8.GetBytes(asked.Body);
        var headers = HeadersOf(asked);
        headers.Set(KnownHeader.ContentLength, body.Length);
        if (!_headers.IsEmpty)
        {
            _headers.Evaluate(headers, new LogContext(context.Headers, null, null, context.Info));
        }
        var options = new AsyncRequestOptions
        {
            Timeout = _timeout,
            ParentSpan = context.Span,
            RetryPolicy = _retry,
            SendForwardedFor = false,
        };
        return client.Send(headers, body.Span, options, new Answer(this, callbacks));
    }

    private HeaderMap HeadersOf(Envoy.Service.Auth.V3.AttributeContext.HttpRequest asked)
    {
        var headers = HeaderMap.Rent();
        if (asked.HeaderMap is { } raw)
        {
            foreach (var header in raw.Headers)
            {
                AddHeader(headers, Encoding.UTF8.GetBytes(header.Key), header.RawValue.Span);
            }
            return headers;
        }
        foreach (var (name, value) in asked.Headers)
        {
            AddHeader(headers, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));
        }
        return headers;
    }

    private void AddHeader(HeaderMap headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var known = KnownHeaders.Find(name);
        if (known == KnownHeader.Path && (_pathPrefix.Length > 0 || _pathOverride.Length > 0))
        {
            headers.Set(KnownHeader.Path, Encoding.UTF8.GetBytes(
                _pathOverride.Length > 0 ? _pathOverride : _pathPrefix + Encoding.UTF8.GetString(value)));
        }
        else if (known is not (KnownHeader.ContentLength or KnownHeader.TransferEncoding))
        {
            headers.Add(name, value);
        }
    }

    private CheckResult Read(HeaderMap headers, ByteBuffer body)
    {
        var code = HeaderUtility.Status(headers);
        if (code is < 200 or >= 500)
        {
            return CheckResult.Failed;
        }
        var allowed = code == 200;
        var result = new CheckResult
        {
            Status = allowed ? CheckStatus.Ok : CheckStatus.Denied,
            StatusCode = code,
            Body = allowed ? [] : body.ToArray(),
        };
        var toSet = allowed ? _toUpstream : _toClient;
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            var name = headers.Name(i);
            var header = new UnsafeHeader(Encoding.Latin1.GetString(name), Encoding.Latin1.GetString(headers.Value(i)));
            if (allowed && name.SequenceEqual(AuthorizationHeaders.HeadersToRemove))
            {
                result.HeadersToRemove.AddRange(header.Value.Split(
                    ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            }
            // The status is the answer's own; a second one would be no header but a broken message.
            if (headers.Known(i) != KnownHeader.Status && toSet.Match(name))
            {
                result.HeadersToSet.Add(header);
            }
            if (_toUpstreamAppended.Match(name))
            {
                result.HeadersToAdd.Add(header);
            }
            if (_toClientOnSuccess.Match(name))
            {
                result.ResponseHeadersToAdd.Add(header);
            }
            if (_toMetadata.Match(name))
            {
                result.DynamicMetadata[header.Name] = MetadataValue.From(Utf8Text.Sanitize(headers.Value(i)));
            }
        }
        return result;
    }

    private static string PathOf(string path, string field) => path.Length == 0 || path[0] == '/'
        ? path
        : throw new ConfigurationException($"{field}: a path begins with '/', this is '{path}'; correct it.");

    // They replace headers of the request with the same name.
    private static HeaderParser HeadersOf(HttpService config, string field)
    {
        var options = new List<HeaderValueOption>();
        foreach (var header in config.AuthorizationRequest?.HeadersToAdd ?? default)
        {
            var option = HeaderValueOption.New();
            option.Header = header;
            option.AppendAction = AppendAction.OverwriteIfExistsOrAdd;
            options.Add(option);
        }
        return HeaderParser.Compile(options, [], $"{field}.authorization_request");
    }

    private sealed class Answer(HttpAuthorizationClient client, IAuthorizationCallbacks callbacks) : IAsyncRequestCallbacks
    {
        public void OnSuccess(HeaderMap responseHeaders, ByteBuffer body, HeaderMap? trailers) =>
            callbacks.OnComplete(client.Read(responseHeaders, body));

        public void OnFailure(string reason) => callbacks.OnComplete(CheckResult.Failed);
    }
}
