using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using Matcher = Xds.Type.Matcher.V3.Matcher;

namespace MeshProxy.Proxy.Listeners;

/// <summary>filter_chain_matcher: a match tree over network inputs whose actions name filter chains (upstream 18).</summary>
internal static class FilterChainMatchTree
{
    public static Func<ConnectionInfo, StreamInfo, CompiledFilterChain?> Compile(
        Matcher tree, IReadOnlyList<CompiledFilterChain> chains, FactoryContext context)
    {
        var compiled = MatchTree<Action>.Compile(tree, context, (config, field) =>
        {
            if (!config.TryUnpack<StringValue>(out var name))
            {
                throw new ConfigurationException($"{field}: '{config.TypeName}' names no filter chain; use google.protobuf.StringValue.");
            }
            return new Action(name.Value, chains.FirstOrDefault(chain => chain.Name == name.Value));
        }, "filter_chain_matcher", static type => !type.StartsWith("envoy.type.matcher.v3.Http", StringComparison.Ordinal));
        return (_, streamInfo) => compiled.Match(new MatchContext(streamInfo)) is { } action
            ? action.Chain ?? CompiledFilterChain.Nowhere
            : null;
    }

    /// <summary>A name that no chain has is taken, and closes the connections it is chosen for.</summary>
    private sealed record Action(string Name, CompiledFilterChain? Chain);
}
