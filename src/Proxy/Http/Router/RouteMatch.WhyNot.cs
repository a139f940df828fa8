using System.Text;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Matching;
using MeshProxy.Xds.Mapping;
using Config = Envoy.Config.Route.V3.RouteMatch;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>The match asked again, condition by condition, for explanations.</summary>
internal sealed partial class RouteMatch
{
    /// <summary>The path part in words.</summary>
    public string PathText => Definition.PathSpecifierCase switch
    {
        Config.PathSpecifierOneofCase.Prefix => $"prefix {Definition.Prefix}",
        Config.PathSpecifierOneofCase.Path => $"path {Definition.Path}",
        Config.PathSpecifierOneofCase.PathSeparatedPrefix => $"path-separated prefix {Definition.PathSeparatedPrefix}",
        Config.PathSpecifierOneofCase.SafeRegex => $"regex {Definition.SafeRegex!.Value.Regex}",
        Config.PathSpecifierOneofCase.ConnectMatcherValue => "CONNECT",
        Config.PathSpecifierOneofCase.PathMatchPolicy => "path template",
        _ => "everything",
    };

    /// <summary>The first condition that does not hold; null when the match holds.</summary>
    public string? WhyNot(in RouteRequest request)
    {
        if (Matches(request))
        {
            return null;
        }
        if (!request.HasPath && !Path.SupportsPathless)
        {
            return "the request has no path";
        }
        if (!Path.Match(request))
        {
            return $"the path {Encoding.UTF8.GetString(request.Path)} is not {PathText}";
        }
        if (_fraction is not null && !_fraction.Takes(request.Random))
        {
            return "runtime_fraction leaves this draw out";
        }
        if (_grpc && !GrpcCommon.IsGrpcRequest(request.Headers))
        {
            return "the request is not gRPC";
        }
        return HeaderThatFails(request) ?? QueryThatFails(request) ?? StateThatFails(request);
    }

    private string? HeaderThatFails(in RouteRequest request)
    {
        for (var i = 0; i < _headers.Length; i++)
        {
            if (!HeaderMatcher.MatchAll(_headers[i..(i + 1)], request.Headers))
            {
                return $"header {Definition.Headers[i].Name} is {Shown(request.Headers, _headers[i].Name)}, wanted "
                    + Definition.Headers[i].Message.ToJsonText(JsonWriteOptions.Compact);
            }
        }
        return null;
    }

    private string? QueryThatFails(in RouteRequest request)
    {
        for (var i = 0; i < _query.Length; i++)
        {
            if (!_query[i].Match(request.Query))
            {
                return $"query parameter {Definition.QueryParameters[i].Name} does not fit "
                    + Definition.QueryParameters[i].Message.ToJsonText(JsonWriteOptions.Compact);
            }
        }
        return null;
    }

    private string StateThatFails(in RouteRequest request)
    {
        for (var i = 0; i < _cookies.Length; i++)
        {
            if (!_cookies[i].Match(request.Headers))
            {
                return $"cookie {Definition.Cookies[i].Name} does not fit";
            }
        }
        return MatchesTls(request.StreamInfo)
            ? "dynamic metadata or filter state does not fit"
            : "the client's certificate is not as tls_context wants it";
    }

    private static string Shown(HeaderMap headers, ReadOnlySpan<byte> name) =>
        headers.GetJoined(name) is { } value ? $"'{value}'" : "missing";
}
