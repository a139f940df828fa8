using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.Cors;

/// <summary>Answers preflights of allowed origins and marks answers to them (fetch.spec.whatwg.org, CORS protocol).</summary>
internal sealed class CorsFilter(Counter valid, Counter invalid) : PassThroughFilter
{
    private readonly List<CorsPolicy> _policies = [];
    private byte[]? _origin;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        // Least specific first; questions are asked from the end.
        Decoder.TraversePerFilterConfig<CorsPolicy>(_policies.Add);
        var random = Decoder.StreamInfo.StreamId;
        var enabled = _policies.Exists(p => p.Enabled(random));
        if (_policies.Count == 0 || (!enabled && !_policies.Exists(p => p.ShadowEnabled(random)))
            || !headers.TryGet("origin"u8, out var origin) || origin.IsEmpty)
        {
            return FilterHeadersStatus.Continue;
        }
        var allowed = Allows(origin);
        (allowed ? valid : invalid).Inc();
        if (!enabled)
        {
            return FilterHeadersStatus.Continue;
        }
        if (allowed)
        {
            _origin = origin.ToArray();
        }
        if (!headers.Get(KnownHeader.Method).SequenceEqual("OPTIONS"u8)
            || !headers.TryGet("access-control-request-method"u8, out var method) || method.IsEmpty
            || (!allowed && (First(static p => p.ForwardNotMatching) ?? true)))
        {
            return FilterHeadersStatus.Continue;
        }
        AnswerPreflight(headers, method.ToArray(), allowed);
        return FilterHeadersStatus.StopIteration;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_origin is not null)
        {
            headers.Set("access-control-allow-origin"u8, _origin);
            SetCredentials(headers);
            SetIfAny(headers, "access-control-expose-headers"u8, Text(static p => p.Exposed));
        }
        return FilterHeadersStatus.Continue;
    }

    private void AnswerPreflight(HeaderMap request, byte[] method, bool allowed)
    {
        var answer = HeaderMap.Rent();
        answer.Set(KnownHeader.Status, "200"u8);
        if (allowed)
        {
            answer.Set("access-control-allow-origin"u8, _origin!);
            SetIfAny(answer, "access-control-expose-headers"u8, Text(static p => p.Exposed));
        }
        SetCredentials(answer);
        var methods = Text(static p => p.Methods);
        SetIfAny(answer, "access-control-allow-methods"u8, methods is [(byte)'*'] ? method : methods);
        var names = Text(static p => p.Headers);
        if (names is [(byte)'*'])
        {
            answer.Set("access-control-allow-headers"u8, request.TryGet("access-control-request-headers"u8, out var asked) ? asked : default);
        }
        else
        {
            SetIfAny(answer, "access-control-allow-headers"u8, names);
        }
        SetIfAny(answer, "access-control-max-age"u8, Text(static p => p.MaxAge));
        if (request.TryGet("access-control-request-private-network"u8, out var network) && network.SequenceEqual("true"u8)
            && (First(static p => p.PrivateNetwork) ?? false))
        {
            answer.Set("access-control-allow-private-network"u8, "true"u8);
        }
        Decoder.EncodeHeaders(answer, endStream: true, "cors_response");
    }

    private void SetCredentials(HeaderMap headers)
    {
        if (First(static p => p.Credentials) ?? false)
        {
            headers.Set("access-control-allow-credentials"u8, "true"u8);
        }
    }

    private bool Allows(ReadOnlySpan<byte> origin)
    {
        for (var i = _policies.Count - 1; i >= 0; i--)
        {
            if (_policies[i].Origins.Length > 0)
            {
                return Allows(_policies[i].Origins, origin);
            }
        }
        return false;
    }

    private static bool Allows(StringMatcher[] origins, ReadOnlySpan<byte> origin)
    {
        foreach (var matcher in origins)
        {
            if (matcher.Match("*"u8) || matcher.Match(origin))
            {
                return true;
            }
        }
        return false;
    }

    private bool? First(Func<CorsPolicy, bool?> get)
    {
        for (var i = _policies.Count - 1; i >= 0; i--)
        {
            if (get(_policies[i]) is { } value)
            {
                return value;
            }
        }
        return null;
    }

    private byte[] Text(Func<CorsPolicy, byte[]> get)
    {
        for (var i = _policies.Count - 1; i >= 0; i--)
        {
            if (get(_policies[i]) is { Length: > 0 } value)
            {
                return value;
            }
        }
        return [];
    }

    private static void SetIfAny(HeaderMap headers, ReadOnlySpan<byte> name, byte[] value)
    {
        if (value.Length > 0)
        {
            headers.Set(name, value);
        }
    }
}
