using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.HeaderMutation;

/// <summary>Changes headers, trailers and query by the filter's operations, then by those of the route's levels.</summary>
internal sealed class HeaderMutationFilter(MutationSet own, bool mostSpecificWins) : PassThroughFilter
{
    private List<MutationSet>? _levels;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var context = new LogContext(headers, null, null, Decoder.StreamInfo);
        foreach (var level in Levels())
        {
            level.Request.Evaluate(headers, context);
        }
        MutateQuery(headers, context);
        return FilterHeadersStatus.Continue;
    }

    public override FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
    {
        foreach (var level in Levels())
        {
            level.RequestTrailers.Evaluate(trailers, new LogContext(Decoder.RequestHeaders, null, null, Decoder.StreamInfo));
        }
        return FilterTrailersStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        foreach (var level in Levels())
        {
            level.Response.Evaluate(headers, new LogContext(Encoder.RequestHeaders, headers, null, Encoder.StreamInfo));
        }
        return FilterHeadersStatus.Continue;
    }

    public override FilterTrailersStatus EncodeTrailers(HeaderMap trailers)
    {
        foreach (var level in Levels())
        {
            level.ResponseTrailers.Evaluate(
                trailers, new LogContext(Encoder.RequestHeaders, Encoder.ResponseHeaders, trailers, Encoder.StreamInfo));
        }
        return FilterTrailersStatus.Continue;
    }

    private void MutateQuery(HeaderMap headers, in LogContext context)
    {
        if (!Levels().Exists(level => !level.Query.IsEmpty) || headers.GetString(KnownHeader.Path) is not { } path)
        {
            return;
        }
        var parameters = QueryParameterMap.Parse(path, decode: true);
        foreach (var level in Levels())
        {
            level.Query.Apply(parameters, context);
        }
        headers.Set(KnownHeader.Path, QueryParameterMap.Format(path, parameters));
    }

    // The last to overwrite wins: by default the table, the other way round the route.
    private List<MutationSet> Levels()
    {
        if (_levels is null)
        {
            var route = new List<MutationSet>();
            Decoder.TraversePerFilterConfig<MutationSet>(route.Add);
            if (!mostSpecificWins)
            {
                route.Reverse();
            }
            _levels = [own, .. route];
        }
        return _levels;
    }
}
