using System.Text;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using RouteAction = Envoy.Config.Route.V3.RouteAction;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>How a route changes the authority before an endpoint is known.</summary>
internal abstract class HostRewrite
{
    /// <summary>The new authority, or null to leave it.</summary>
    public abstract string? Rewrite(HeaderMap headers, in LogContext context);

    /// <summary>Null when the route has none, or auto_host_rewrite, which needs the endpoint.</summary>
    public static HostRewrite? Compile(RouteAction action, string field) =>
        action.HostRewriteSpecifierCase switch
        {
            RouteAction.HostRewriteSpecifierOneofCase.HostRewriteLiteral when action.HostRewriteLiteral.Length > 0 =>
                new Literal(action.HostRewriteLiteral),
            RouteAction.HostRewriteSpecifierOneofCase.HostRewriteHeader => new FromHeader(action.HostRewriteHeader),
            RouteAction.HostRewriteSpecifierOneofCase.HostRewritePathRegex =>
                new FromPath(action.HostRewritePathRegex!.Value, $"{field}.host_rewrite_path_regex"),
            RouteAction.HostRewriteSpecifierOneofCase.HostRewrite =>
                new FromFormat(HeaderValueFormat.Compile(action.HostRewrite, $"{field}.host_rewrite")),
            _ => null,
        };

    public sealed class Literal(string host) : HostRewrite
    {
        public override string? Rewrite(HeaderMap headers, in LogContext context) => host;
    }

    private sealed class FromHeader(string name) : HostRewrite
    {
        private readonly byte[] _name = Encoding.ASCII.GetBytes(name.ToLowerInvariant());

        public override string? Rewrite(HeaderMap headers, in LogContext context) =>
            headers.GetString(_name) is { Length: > 0 } host ? host : null;
    }

    private sealed class FromPath(Envoy.Type.Matcher.V3.RegexMatchAndSubstitute config, string field) : HostRewrite
    {
        private readonly Re2Regex _regex = Re2Regex.Compile(config.Pattern?.Regex ?? "", $"{field}.pattern.regex");
        private readonly string _substitution = config.Substitution;

        public override string? Rewrite(HeaderMap headers, in LogContext context) => _regex.ReplaceAll(
            Encoding.Latin1.GetString(HeaderUtility.PathWithoutQuery(headers.Get(KnownHeader.Path))), _substitution);
    }

    private sealed class FromFormat(HeaderValueFormat format) : HostRewrite
    {
        public override string? Rewrite(HeaderMap headers, in LogContext context) =>
            format.Format(context) is { Length: > 0 } host ? host : null;
    }
}
