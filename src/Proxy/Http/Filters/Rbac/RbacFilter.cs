using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Rbac;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.Rbac;

/// <summary>Decides when the headers have come; the shadow rules first, so that what they would do is known in either case.</summary>
internal sealed class RbacFilter(RbacFilterConfig config) : IStreamDecoderFilter
{
    private const string Namespace = "envoy.filters.http.rbac";
    private const int Forbidden = 403;

    private IStreamDecoderFilterCallbacks _callbacks = null!;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var chosen = _callbacks.MostSpecificPerFilterConfig<RbacRouteRules>() ?? config.Rules;
        var context = new RbacContext(_callbacks.Connection, _callbacks.StreamInfo, headers, () => _callbacks.Route);
        if (chosen.Rules.Shadow is { } shadow)
        {
            var tried = shadow.Decide(context);
            config.Stats.Count(tried, shadow: true);
            Record(tried, $"{chosen.ShadowPrefix}shadow_");
        }
        if (chosen.Rules.Enforced is not { } engine)
        {
            return FilterHeadersStatus.Continue;
        }
        var decision = engine.Decide(context);
        config.Stats.Count(decision, shadow: false);
        Record(decision, $"{chosen.Prefix}enforced_");
        if (decision.Allowed)
        {
            return FilterHeadersStatus.Continue;
        }
        _callbacks.SendLocalReply(Forbidden, "RBAC: access denied"u8, null, null, RbacRules.Details(decision.Policy));
        return FilterHeadersStatus.StopIteration;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream) => FilterDataStatus.Continue;

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers) => FilterTrailersStatus.Continue;

    public void OnDestroy()
    {
    }

    private void Record(in RbacDecision decision, string prefix)
    {
        var metadata = _callbacks.StreamInfo.DynamicMetadata;
        if (decision.Policy is { } policy)
        {
            metadata.Set(Namespace, prefix + "effective_policy_id", MetadataValue.From(policy));
        }
        metadata.Set(Namespace, prefix + "engine_result", MetadataValue.From(decision.Allowed ? "allowed" : "denied"));
    }
}
