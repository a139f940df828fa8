using System.Net;
using System.Net.Sockets;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Upstream.LocalAddressSelector.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Source addresses and socket options of upstream connections: upstream_bind_config of the cluster, else of the bootstrap.</summary>
internal sealed class SourceAddresses
{
    private readonly ClientSocketOptions? _fallback;
    private readonly ClientSocketOptions[] _addresses;

    private SourceAddresses(ClientSocketOptions? fallback, ClientSocketOptions[] addresses)
    {
        _fallback = fallback;
        _addresses = addresses;
    }

    public static SourceAddresses Compile(Cluster definition, BindConfig? bootstrap)
    {
        var keepalive = definition.UpstreamConnectionOptions?.TcpKeepalive is { } given
            ? new Transport.TcpKeepalive(NonZero(given.KeepaliveProbes), NonZero(given.KeepaliveTime), NonZero(given.KeepaliveInterval))
            : null;
        if ((definition.UpstreamBindConfig ?? bootstrap) is not { } bind)
        {
            var plain = keepalive is null ? null : new ClientSocketOptions { Keepalive = keepalive };
            return new SourceAddresses(plain, []);
        }
        var basis = new ClientSocketOptions
        {
            Keepalive = keepalive,
            FreeBind = bind.Freebind ?? false,
            SocketOptions = Options(bind.SocketOptions),
        };
        var addresses = new List<ClientSocketOptions>();
        if (bind.SourceAddress is { } first)
        {
            addresses.Add(basis with { SourceAddress = Addresses.Resolve(first) });
        }
        foreach (var extra in bind.ExtraSourceAddresses)
        {
            var options = extra.SocketOptions is { } replaced ? Options(replaced.SocketOptions) : basis.SocketOptions;
            addresses.Add(basis with { SourceAddress = Addresses.Resolve(extra.Address!.Value), SocketOptions = options });
        }
        foreach (var additional in bind.AdditionalSourceAddresses)
        {
            addresses.Add(basis with { SourceAddress = Addresses.Resolve(additional) });
        }
        if (bind.SourceAddress is null && addresses.Count > 0)
        {
            throw new ConfigurationException(
                $"Cluster {definition.Name}: upstream_bind_config has extra source addresses but no source_address; give it first.");
        }
        CheckExtras(definition.Name, bind, addresses);
        return new SourceAddresses(basis, addresses.ToArray());
    }

    private static void CheckExtras(string cluster, BindConfig bind, List<ClientSocketOptions> addresses)
    {
        if (bind.ExtraSourceAddresses.Count > 0 && bind.AdditionalSourceAddresses.Count > 0)
        {
            throw new ConfigurationException(
                $"Can't specify both `extra_source_addresses` and `additional_source_addresses` in the {cluster}'s upstream binding config");
        }
        if (addresses.Count > 2)
        {
            throw new ConfigurationException(
                $"{cluster}'s upstream binding config has more than one extra/additional source addresses. Only one is supported.");
        }
        if (addresses is [var first, var second] && first.SourceAddress!.AddressFamily == second.SourceAddress!.AddressFamily)
        {
            throw new ConfigurationException(
                $"{cluster}'s upstream binding config has two same IP version source addresses. Only two different IP version source addresses are supported.");
        }
        if (bind.LocalAddressSelector is { TypedConfig: var config, Name: var name }
            && config?.Is<DefaultLocalAddressSelector>() != true)
        {
            throw new ConfigurationException(
                $"Didn't find a registered implementation for '{name}': local_address_selector of cluster {cluster} takes the default one only.");
        }
    }

    /// <summary>Options for a target: the source address of its family, without one the first, as Envoy's default selector chooses.</summary>
    public ClientSocketOptions? For(EndPoint target)
    {
        if (_addresses.Length == 0 || target is not IPEndPoint)
        {
            return _fallback;
        }
        foreach (var candidate in _addresses)
        {
            if (candidate.SourceAddress!.AddressFamily == target.AddressFamily)
            {
                return candidate;
            }
        }
        return _addresses[0];
    }

    private static Transport.SocketOption[] Options(Xds.Protobuf.MessageList<Envoy.Config.Core.V3.SocketOption> messages)
    {
        var options = new Transport.SocketOption[messages.Count];
        for (var i = 0; i < options.Length; i++)
        {
            options[i] = SocketOptionConversion.Convert(messages[i]);
        }
        return options;
    }

    private static uint? NonZero(uint? value) => value is 0 ? null : value;
}
