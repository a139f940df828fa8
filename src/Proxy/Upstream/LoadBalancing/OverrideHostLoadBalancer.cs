using System.Text;
using Envoy.Type.Metadata.V3;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>override_host: the host a header or metadata names, while it is fit; else the fallback policy chooses.</summary>
internal sealed class OverrideHostLoadBalancer(PrioritySet hosts, OverrideSource[] sources, LoadBalancer fallback) : LoadBalancer
{
    public override HostImpl? ChooseHost(ILoadBalancerContext? context)
    {
        if (context is not null)
        {
            foreach (var source in sources)
            {
                if (source.Read(context) is { } names && FirstFit(names, context) is { } host)
                {
                    return host;
                }
            }
        }
        return fallback.ChooseHost(context);
    }

    // Several names are tried in order; a retry passes over what its predicates reject.
    private HostImpl? FirstFit(string names, ILoadBalancerContext context)
    {
        foreach (var name in names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (hosts.Find(name) is { } host && host.Entry.Info.OverrideHostStatuses.Allows(host) && !context.ShouldSelectAnotherHost(host))
            {
                return host;
            }
        }
        return null;
    }
}

/// <summary>Where the name of the host is found: a header, or dynamic metadata.</summary>
internal sealed record OverrideSource(byte[]? Header, MetadataKey? Metadata)
{
    public string? Read(ILoadBalancerContext context)
    {
        if (Header is not null)
        {
            return context.DownstreamHeaders is { } headers && headers.TryGet(Header, out var value) ? Encoding.Latin1.GetString(value) : null;
        }
        return context.RequestStreamInfo is { } info && Metadata is { } key
            && MetadataPaths.Find(info.DynamicMetadata, key) is Observability.MetadataValue.StringNode text ? text.Value : null;
    }
}

internal sealed class OverrideHostFactory(OverrideSource[] sources, ILoadBalancerFactory fallback) : ILoadBalancerFactory
{
    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new OverrideHostLoadBalancer(hosts, sources, fallback.Create(hosts, environment));
}
