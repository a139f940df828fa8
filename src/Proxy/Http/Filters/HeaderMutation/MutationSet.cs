using Config = Envoy.Extensions.Filters.Http.HeaderMutation.V3.Mutations;

namespace MeshProxy.Proxy.Http.Filters.HeaderMutation;

/// <summary>The compiled operations of one level.</summary>
internal sealed class MutationSet
{
    public static readonly MutationSet Empty = new();

    public HeaderMutations Request { get; private init; } = HeaderMutations.Empty;

    public HeaderMutations Response { get; private init; } = HeaderMutations.Empty;

    public HeaderMutations RequestTrailers { get; private init; } = HeaderMutations.Empty;

    public HeaderMutations ResponseTrailers { get; private init; } = HeaderMutations.Empty;

    public QueryMutations Query { get; private init; } = QueryMutations.Empty;

    public static MutationSet Compile(Config? config, string field) => config is not { } given ? Empty : new MutationSet
    {
        Request = HeaderMutations.Compile(given.RequestMutations, $"{field}.request_mutations"),
        Response = HeaderMutations.Compile(given.ResponseMutations, $"{field}.response_mutations"),
        RequestTrailers = HeaderMutations.Compile(given.RequestTrailersMutations, $"{field}.request_trailers_mutations"),
        ResponseTrailers = HeaderMutations.Compile(given.ResponseTrailersMutations, $"{field}.response_trailers_mutations"),
        Query = QueryMutations.Compile(given.QueryParameterMutations, $"{field}.query_parameter_mutations"),
    };
}
