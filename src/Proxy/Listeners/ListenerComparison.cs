using Envoy.Config.Listener.V3;

namespace MeshProxy.Proxy.Listeners;

/// <summary>What an update of a listener changes, which decides between doing nothing, exchanging chains, and replacing it.</summary>
internal static class ListenerComparison
{
    private static readonly int FilterChainsField = Listener.Descriptor.FindField("filter_chains")!.Index;

    /// <summary>Everything but filter_chains, default_filter_chain and filter_chain_matcher is equal: an in-place update will do (upstream 18).</summary>
    public static bool OnlyChainsDiffer(Listener before, Listener after) => Strip(before).Equals(Strip(after));

    private static Xds.Protobuf.Message Strip(Listener listener)
    {
        var stripped = new Listener(listener.Message.Clone());
        stripped.Message.Clear(FilterChainsField);
        stripped.DefaultFilterChain = null;
        stripped.FilterChainMatcher = null;
        return stripped.Message;
    }
}
