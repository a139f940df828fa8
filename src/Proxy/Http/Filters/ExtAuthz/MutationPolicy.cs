namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>How the changes that a service wants are looked at.</summary>
/// <param name="Validates">One that would break the message makes the whole answer invalid; else it is left out.</param>
/// <param name="Rules">Null allows every well-formed change.</param>
internal sealed record MutationPolicy(bool Validates, HeaderMutationChecker? Rules);
