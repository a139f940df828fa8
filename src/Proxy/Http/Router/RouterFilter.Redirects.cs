using System.Text;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>Following redirects in the client's place (http-semantics 7).</summary>
internal sealed partial class RouterFilter
{
    private bool FollowRedirect(HeaderMap response)
    {
        var possible = DownstreamComplete && !_bufferOverflowed && response.Contains(KnownHeader.Location);
        if (possible && TurnIntoRedirect(response) && Callbacks.RecreateStream(response))
        {
            Cluster.Traffic.Inc(ClusterStat.UpstreamInternalRedirectSucceededTotal);
            return true;
        }
        Cluster.Traffic.Inc(ClusterStat.UpstreamInternalRedirectFailedTotal);
        return false;
    }

    // Rewrites the request to the redirect's target; puts everything back when the target is refused.
    private bool TurnIntoRedirect(HeaderMap response)
    {
        var policy = _action.InternalRedirect!;
        if (!TryParse(response.GetString(KnownHeader.Location)!, out var isHttps, out var host, out var path))
        {
            return Refuse(RouterStat.RedirectBadLocation);
        }
        var wasHttps = _headers.Get(KnownHeader.Scheme).SequenceEqual("https"u8);
        if (!policy.AllowCrossScheme && wasHttps != isHttps)
        {
            return Refuse(RouterStat.RedirectUnsafeScheme);
        }
        var state = Info.FilterState.Get<RedirectState>(RedirectState.Key);
        if (state is null)
        {
            state = new RedirectState();
            Info.FilterState.Set(RedirectState.Key, state, Observability.FilterStateLifeSpan.Request);
        }
        if (state.Redirects >= policy.MaxRedirects)
        {
            return Refuse(RouterStat.RedirectTooMany);
        }
        var original = HeaderMap.Rent();
        original.CopyFrom(_headers);
        CopyResponseHeaders(policy, response);
        _headers.Set(KnownHeader.Scheme, isHttps ? "https"u8 : "http"u8);
        _headers.Set(KnownHeader.Authority, host);
        _headers.Set(KnownHeader.Path, path);
        Callbacks.ClearRouteCache();
        if (!Accepts(policy, state, wasHttps, isHttps))
        {
            _headers.CopyFrom(original);
            return false;
        }
        if (HeaderUtility.Status(response) == 303)
        {
            MakeGet();
        }
        state.Redirects++;
        _headers.Set(KnownHeader.EnvoyOriginalUrl,
            $"{(wasHttps ? "https" : "http")}://{original.GetString(KnownHeader.Authority)}{original.GetString(KnownHeader.Path)}");
        original.Return();
        return true;
    }

    private bool Accepts(InternalRedirectPolicy policy, RedirectState state, bool wasHttps, bool isHttps)
    {
        if (Callbacks.Route is not RouteEntry target)
        {
            return Refuse(RouterStat.RedirectNoRoute);
        }
        foreach (var predicate in policy.Predicates)
        {
            if (!predicate.Accept(state, _route, target, wasHttps, isHttps))
            {
                return Refuse(RouterStat.RedirectPredicate);
            }
        }
        return true;
    }

    private void CopyResponseHeaders(InternalRedirectPolicy policy, HeaderMap response)
    {
        foreach (var text in policy.ResponseHeadersToCopy)
        {
            var name = Encoding.ASCII.GetBytes(text.ToLowerInvariant());
            _headers.Remove(name);
            for (var i = response.IndexOf(name, 0); i >= 0; i = response.IndexOf(name, i + 1))
            {
                _headers.Add(name, response.Value(i));
            }
        }
    }

    // RFC 9110 15.4.4: 303 sends the client to look elsewhere, not to repeat what it did.
    private void MakeGet()
    {
        var method = _headers.Get(KnownHeader.Method);
        if (method.SequenceEqual("GET"u8) || method.SequenceEqual("HEAD"u8))
        {
            return;
        }
        _headers.Set(KnownHeader.Method, "GET"u8);
        _headers.Remove(KnownHeader.ContentLength);
        Callbacks.DecodingBuffer?.Clear();
    }

    private bool Refuse(RouterStat stat)
    {
        Count(stat);
        return false;
    }

    private static bool TryParse(string url, out bool isHttps, out string host, out string path)
    {
        isHttps = url.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        host = path = "";
        if (!isHttps && !url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        var rest = url[(isHttps ? 8 : 7)..];
        var fragment = rest.IndexOf('#', StringComparison.Ordinal);
        if (fragment >= 0)
        {
            rest = rest[..fragment];
        }
        var end = rest.IndexOfAny(['/', '?']);
        host = end < 0 ? rest : rest[..end];
        path = end < 0 ? "/" : rest[end] == '?' ? $"/{rest[end..]}" : rest[end..];
        return host.Length > 0 && !host.Contains(' ', StringComparison.Ordinal);
    }
}
