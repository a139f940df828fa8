using System.Text;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Route.V3.RedirectAction;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.RedirectAction (http-semantics 6).</summary>
internal sealed class Redirect
{
    private readonly string _host;
    private readonly string _scheme;
    private readonly string _port;
    private readonly string _path;
    private readonly bool _pathHasQuery;
    private readonly PathRewrite? _rewrite;
    private readonly bool _stripQuery;

    public Redirect(Config config, string field)
    {
        _host = config.HostRedirect;
        _scheme = config.HttpsRedirect ? "https" : config.SchemeRedirect;
        _port = config.PortRedirect == 0 ? "" : $":{config.PortRedirect}";
        _path = config.PathRewriteSpecifierCase == Config.PathRewriteSpecifierOneofCase.PathRedirect ? config.PathRedirect : "";
        _pathHasQuery = _path.Contains('?', StringComparison.Ordinal);
        _stripQuery = config.StripQuery;
        Status = config.ResponseCode switch
        {
            Config.RedirectResponseCode.Found => 302,
            Config.RedirectResponseCode.SeeOther => 303,
            Config.RedirectResponseCode.TemporaryRedirect => 307,
            Config.RedirectResponseCode.PermanentRedirect => 308,
            _ => 301,
        };
        _rewrite = config.PathRewriteSpecifierCase switch
        {
            Config.PathRewriteSpecifierOneofCase.PrefixRewrite when config.PrefixRewrite.Length > 0 =>
                new PathRewrite.Prefix(config.PrefixRewrite),
            Config.PathRewriteSpecifierOneofCase.RegexRewrite => new PathRewrite.Regex(config.RegexRewrite!.Value, $"{field}.regex_rewrite"),
            Config.PathRewriteSpecifierOneofCase.PathRewrite => new PathRewrite.Format(config.PathRewrite, $"{field}.path_rewrite"),
            _ => null,
        };
    }

    public int Status { get; }

    /// <summary>Whether the location's path is another one (x-envoy-original-path is then set for the log).</summary>
    public bool ChangesPath => _rewrite is not null;

    public string Location(HeaderMap headers, PathSpecifier match, in LogContext context)
    {
        var scheme = _scheme.Length > 0 ? _scheme : headers.GetString(KnownHeader.Scheme) ?? "";
        return $"{scheme}://{Host(headers, scheme)}{_port}{Path(headers, match, context)}";
    }

    private string Host(HeaderMap headers, string scheme)
    {
        if (_host.Length > 0)
        {
            return _host;
        }
        var authority = headers.Get(KnownHeader.Authority);
        var colon = HeaderUtility.PortStart(authority);
        if (colon < 0)
        {
            return Encoding.Latin1.GetString(authority);
        }
        // A port that was the default of the old scheme would be wrong under the new one.
        var port = authority[(colon + 1)..];
        var old = headers.Get(KnownHeader.XForwardedProto);
        var isOldDefault = scheme != Encoding.Latin1.GetString(old)
            && ((old.SequenceEqual("http"u8) && port.SequenceEqual("80"u8)) || (old.SequenceEqual("https"u8) && port.SequenceEqual("443"u8)));
        return Encoding.Latin1.GetString(_port.Length > 0 || isOldDefault ? authority[..colon] : authority);
    }

    private string Path(HeaderMap headers, PathSpecifier match, in LogContext context)
    {
        var request = headers.GetString(KnownHeader.Path) ?? "";
        string path;
        if (_path.Length > 0)
        {
            path = _path;
            if (!_pathHasQuery && !_stripQuery && request.IndexOf('?', StringComparison.Ordinal) is var at and >= 0)
            {
                path += request[at..];
            }
        }
        else
        {
            path = _rewrite?.Rewrite(request, match, context) ?? request;
            if (_stripQuery && path.IndexOf('?', StringComparison.Ordinal) is var query and >= 0)
            {
                path = path[..query];
            }
        }
        return path.StartsWith('/') ? path : $"/{path}";
    }
}
