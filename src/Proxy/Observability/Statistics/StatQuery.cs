namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Which stats to list.</summary>
/// <param name="UsedOnly">Leave out what was never written.</param>
/// <param name="Filter">Searched in the full name; null lists all.</param>
/// <param name="Kinds">Kinds wanted; null is a text readout.</param>
internal sealed record StatQuery(bool UsedOnly, IStatNameFilter? Filter, Func<StatKind?, bool> Kinds)
{
    public bool Accepts(in StatValue value) =>
        Kinds(value.Kind) && (!UsedOnly || value.Used) && (Filter is null || Filter.IsMatch(value.Node.Prefix, value.LocalName));
}

/// <summary>Decides on a full name given in two parts.</summary>
internal interface IStatNameFilter
{
    bool IsMatch(string prefix, string name);
}
