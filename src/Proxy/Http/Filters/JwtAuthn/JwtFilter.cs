using System.Text;
using MeshProxy.Proxy.Security.Jwt;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>Lets a request pass when its tokens meet what is required of it.</summary>
internal sealed class JwtFilter(JwtFilterConfig config) : IStreamDecoderFilter
{
    private const int Unauthorized = 401;
    private const int Forbidden = 403;

    /// <summary>Characters of path and query that `realm` shows (Envoy's MaximumUriLength).</summary>
    private const int MaxRealmPath = 256;

    private IStreamDecoderFilterCallbacks _callbacks = null!;
    private JwtVerification? _verification;
    private bool _decided;
    private bool _passed;
    private bool _waiting;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (config.BypassPreflight && IsPreflight(headers))
        {
            config.Stats.PreflightBypassed.Inc();
            return Pass();
        }
        JwtRequirement? requirement;
        var own = _callbacks.MostSpecificPerFilterConfig<JwtRouteConfig>();
        if (own is { Disabled: true })
        {
            return Pass();
        }
        if (own is not null)
        {
            if (!config.TryFindNamed(own.RequirementName, out requirement))
            {
                return DenyUnknown(own.RequirementName);
            }
        }
        else
        {
            requirement = config.Find(headers, _callbacks.StreamInfo);
        }
        foreach (var provider in config.Providers)
        {
            provider.Output.Sanitize(headers);
        }
        if (requirement is null)
        {
            return Pass();
        }
        var realm = Realm(headers);
        _verification = new JwtVerification(headers, _callbacks.StreamInfo, config.Stats);
        requirement.Verify(_verification, status => OnDecision(status, realm));
        _waiting = !_decided;
        return _passed ? FilterHeadersStatus.Continue
            : _waiting ? FilterHeadersStatus.StopAllIterationAndWatermark : FilterHeadersStatus.StopIteration;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream) =>
        _passed ? FilterDataStatus.Continue : FilterDataStatus.StopIterationAndWatermark;

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers) =>
        _passed ? FilterTrailersStatus.Continue : FilterTrailersStatus.StopIteration;

    public void OnDestroy() => _verification?.Cancel();

    private FilterHeadersStatus Pass()
    {
        config.Stats.Allowed.Inc();
        _decided = _passed = true;
        return FilterHeadersStatus.Continue;
    }

    private void OnDecision(JwtStatus status, string realm)
    {
        _decided = true;
        if (status != JwtStatus.Ok)
        {
            Deny(status, realm);
            return;
        }
        config.Stats.Allowed.Inc();
        _passed = true;
        if (_verification!.RouteChanged)
        {
            _callbacks.ClearRouteCache();
        }
        if (_waiting)
        {
            _callbacks.ContinueDecoding();
        }
    }

    private void Deny(JwtStatus status, string realm)
    {
        config.Stats.Denied.Inc();
        var text = JwtStatusText.Of(status);
        var challenge = status == JwtStatus.Missing ? $"Bearer realm=\"{realm}\"" : $"Bearer realm=\"{realm}\", error=\"invalid_token\"";
        _callbacks.SendLocalReply(
            status == JwtStatus.AudienceNotAllowed ? Forbidden : Unauthorized,
            config.StripFailure ? default : Encoding.UTF8.GetBytes(text),
            config.StripFailure ? null : headers => headers.Set("www-authenticate"u8, Encoding.Latin1.GetBytes(challenge)),
            null, Details(text));
    }

    private FilterHeadersStatus DenyUnknown(string name)
    {
        _decided = true;
        config.Stats.Denied.Inc();
        var text = $"Wrong requirement_name: {name}. It should be one of [{config.Names}]";
        _callbacks.SendLocalReply(Forbidden, Encoding.UTF8.GetBytes($"Failed JWT authentication: {text}"), null, null, Details(text));
        return FilterHeadersStatus.StopIteration;
    }

    // Blanks would shift the columns of logs.
    private static string Details(string text) => $"jwt_authn_access_denied{{{text.Replace(' ', '_')}}}";

    private static string Realm(HeaderMap headers)
    {
        var path = headers.GetString(KnownHeader.Path) ?? "";
        return $"{headers.GetString(KnownHeader.Scheme)}://{headers.GetString(KnownHeader.Authority)}"
            + path[..Math.Min(path.Length, MaxRealmPath)];
    }

    private static bool IsPreflight(HeaderMap headers) => headers.Get(KnownHeader.Method).SequenceEqual("OPTIONS"u8)
        && headers.TryGet("origin"u8, out var origin) && !origin.IsEmpty
        && headers.TryGet("access-control-request-method"u8, out var method) && !method.IsEmpty;
}
