namespace MeshProxy.Proxy.Observability.Istio;

/// <summary>Says in the filter state that the peer's metadata is not going to come.</summary>
internal sealed class NoPeerFound : IFilterStateObject
{
    public static readonly NoPeerFound Instance = new();

    public string SerializeAsString() => "true";
}
