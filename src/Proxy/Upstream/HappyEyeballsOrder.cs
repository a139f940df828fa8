using System.Net;
using System.Net.Sockets;
using Envoy.Config.Cluster.V3;

namespace MeshProxy.Proxy.Upstream;

/// <summary>In which order the addresses of one host are tried: families interleaved (RFC 8305 4).</summary>
/// <param name="FirstFamily">Unspecified takes the family of the first address.</param>
/// <param name="FirstCount">How many of the first family come before the first of another.</param>
internal sealed record HappyEyeballsOrder(AddressFamily FirstFamily, uint FirstCount)
{
    private static readonly HappyEyeballsOrder Default = new(AddressFamily.Unspecified, 1);

    public static HappyEyeballsOrder Compile(Cluster definition)
    {
        if (definition.UpstreamConnectionOptions?.HappyEyeballsConfigValue is not { } config)
        {
            return Default;
        }
        var family = config.FirstAddressFamilyVersion switch
        {
            UpstreamConnectionOptions.FirstAddressFamilyVersion.V4 => AddressFamily.InterNetwork,
            UpstreamConnectionOptions.FirstAddressFamilyVersion.V6 => AddressFamily.InterNetworkV6,
            UpstreamConnectionOptions.FirstAddressFamilyVersion.Pipe => AddressFamily.Unix,
            _ => AddressFamily.Unspecified,
        };
        return new HappyEyeballsOrder(family, config.FirstAddressFamilyCount ?? 1);
    }

    public EndPoint[] Sort(EndPoint first, IReadOnlyList<EndPoint> others)
    {
        if (others.Count == 0)
        {
            return [first];
        }
        EndPoint[] all = [first, .. others];
        var family = FirstFamily != AddressFamily.Unspecified && Array.Exists(all, address => address.AddressFamily == FirstFamily)
            ? FirstFamily
            : first.AddressFamily;
        var preferred = new Queue<EndPoint>(Array.FindAll(all, address => address.AddressFamily == family));
        var rest = new Queue<EndPoint>(Array.FindAll(all, address => address.AddressFamily != family));
        var order = new List<EndPoint>(all.Length);
        while (preferred.Count > 0 || rest.Count > 0)
        {
            for (var i = 0; i < FirstCount && preferred.TryDequeue(out var next); i++)
            {
                order.Add(next);
            }
            if (rest.TryDequeue(out var other))
            {
                order.Add(other);
            }
        }
        return order.ToArray();
    }
}
