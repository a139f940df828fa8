using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Listener.HttpInspector.V3;
using Envoy.Extensions.Filters.Listener.OriginalDst.V3;
using Envoy.Extensions.Filters.Listener.TlsInspector.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Transport;
using Value = Google.Protobuf.WellKnownTypes.Value;

namespace MeshProxy.Proxy.Explanation;

/// <summary>Which listener takes a connection, and what its listener filters find out.</summary>
internal sealed class ListenerExplainer(DumpServer server)
{
    /// <summary>The listener with what is known of the connection on it; null listener when none takes it.</summary>
    public (CompiledListener? Listener, ConnectionInfo Info) Explain(TrafficFacts traffic, List<ExplanationStep> steps)
    {
        var redirected = false;
        var entry = traffic.Listener.Length > 0
            ? server.Listeners.FirstOrDefault(listener => listener.Name == traffic.Listener)
            : server.FindBound(traffic.Destination);
        string why;
        if (traffic.Listener.Length > 0)
        {
            why = "It was named.";
        }
        else if (entry is not null)
        {
            why = $"Its own socket takes connections to {Addresses.Format(traffic.Destination)}.";
        }
        else
        {
            var inbound = IsInbound(traffic);
            entry = FindRedirectTarget(inbound);
            redirected = true;
            why = entry is null ? "" : $"No socket is bound to {Addresses.Format(traffic.Destination)}; the pod's redirect rules send "
                + $"{(inbound ? "inbound" : "outbound")} traffic to {Addresses.Format(entry.Addresses[0].Address)}.";
        }
        var info = Info(traffic, entry);
        if (entry is null)
        {
            steps.Add(new ExplanationStep("listener", "",
                $"No listener is bound to {Addresses.Format(traffic.Destination)}, and none takes redirected connections.", [], Near(traffic)));
            return (null, info);
        }
        if (redirected)
        {
            info.RestoreLocalAddress(traffic.Destination);
        }
        steps.Add(Step(entry, why, Inspect(entry, traffic, info), []));
        if (entry.UseOriginalDestination && info.LocalAddressRestored
            && server.FindByAddress(info.LocalAddress) is { } other && other != entry)
        {
            steps.Add(Step(other, HandOver(other, traffic), Inspect(other, traffic, info), Near(traffic, other)));
            entry = other;
        }
        else if (entry.UseOriginalDestination && info.LocalAddressRestored)
        {
            steps.Add(new ExplanationStep("listener", entry.Name,
                $"No listener has the address {Addresses.Format(traffic.Destination)} or the wildcard address with its port, so {entry.Name} keeps the connection.",
                [], Near(traffic)));
        }
        if (info.DetectedTransportProtocol.Length == 0)
        {
            info.DetectedTransportProtocol = "raw_buffer";
        }
        return (entry, info);
    }

    private bool IsInbound(TrafficFacts traffic) => traffic.Side switch
    {
        TrafficSide.Inbound => true,
        TrafficSide.Outbound => false,
        _ => OwnAddresses().Contains(traffic.Destination.Address.ToString()),
    };

    // The pod's addresses as the agent tells them to istiod.
    private HashSet<string> OwnAddresses()
    {
        var own = new HashSet<string>(StringComparer.Ordinal);
        if (server.Dump.Bootstrap?.Node is not { } node)
        {
            return own;
        }
        if (node.Id.Split('~') is [_, var address, ..])
        {
            own.Add(address);
        }
        foreach (var (key, value) in node.Metadata?.Fields ?? default)
        {
            if (key == "INSTANCE_IPS" && value.KindCase == Value.KindOneofCase.StringValue)
            {
                own.UnionWith(value.StringValue.Split(',', StringSplitOptions.TrimEntries));
            }
        }
        return own;
    }

    private CompiledListener? FindRedirectTarget(bool inbound)
    {
        var wanted = inbound ? TrafficDirection.Inbound : TrafficDirection.Outbound;
        return server.Listeners.FirstOrDefault(listener => listener.BindToPort && !listener.IsInternal
            && (TrafficDirection)listener.Facts.Direction == wanted
            && (listener.UseOriginalDestination || listener.Definition.ListenerFilters.Any(
                static filter => filter.TypedConfig?.Is<OriginalDst>() == true)));
    }

    private static ConnectionInfo Info(TrafficFacts traffic, CompiledListener? entry) => new()
    {
        LocalAddress = traffic.Destination,
        DirectLocalAddress = entry?.Addresses[0].Address ?? traffic.Destination,
        RemoteAddress = traffic.Source,
        DirectRemoteAddress = traffic.Source,
    };

    private static string HandOver(CompiledListener other, TrafficFacts traffic)
    {
        var exact = other.Addresses.Any(address => address.Address.Equals(traffic.Destination));
        return exact
            ? $"It has the original destination {Addresses.Format(traffic.Destination)} as its address (use_original_dst)."
            : $"No listener has the address {Addresses.Format(traffic.Destination)}; this one has the wildcard address with that port (use_original_dst).";
    }

    /// <summary>Runs of listener filters, as far as they say what the chain is matched by.</summary>
    private static List<string> Inspect(CompiledListener listener, TrafficFacts traffic, ConnectionInfo info)
    {
        var found = new List<string>();
        for (var i = 0; i < listener.Definition.ListenerFilters.Count; i++)
        {
            var filter = listener.Definition.ListenerFilters[i];
            if (listener.ListenerFilters[i].Disabled?.Invoke(info) == true)
            {
                found.Add($"listener filter {filter.Name} is disabled for this address");
                continue;
            }
            if (filter.TypedConfig?.Is<TlsInspector>() == true)
            {
                found.Add(InspectTls(traffic, info, filter.Name));
            }
            else if (filter.TypedConfig?.Is<HttpInspector>() == true && info.DetectedTransportProtocol != "tls")
            {
                found.Add(InspectHttp(traffic, info, filter.Name));
            }
        }
        return found;
    }

    private static string InspectTls(TrafficFacts traffic, ConnectionInfo info, string name)
    {
        if (!traffic.Tls)
        {
            return $"{name} sees plaintext";
        }
        info.DetectedTransportProtocol = "tls";
        info.RequestedServerName = traffic.ServerName.ToLowerInvariant();
        info.RequestedApplicationProtocols = traffic.ApplicationProtocols;
        return $"{name} sees TLS, SNI {(traffic.ServerName.Length > 0 ? traffic.ServerName : "none")}, ALPN "
            + (traffic.ApplicationProtocols.Count > 0 ? string.Join(",", traffic.ApplicationProtocols) : "none");
    }

    private static string InspectHttp(TrafficFacts traffic, ConnectionInfo info, string name)
    {
        if (traffic.Request is not { } request)
        {
            return $"{name} sees no HTTP";
        }
        info.RequestedApplicationProtocols = [request.Http2 ? "h2c" : "http/1.1"];
        return $"{name} sees {(request.Http2 ? "HTTP/2" : "HTTP/1.1")}";
    }

    private static ExplanationStep Step(
        CompiledListener listener, string why, List<string> details, IReadOnlyList<RejectedChoice> rejected)
    {
        details.Insert(0, $"address {string.Join(", ", listener.Addresses.Select(static one => Addresses.Format(one.Address)))}"
            + (listener.BindToPort ? "" : ", no socket of its own"));
        return new ExplanationStep("listener", listener.Name, why, details, rejected);
    }

    // Of all listeners those that share the port or the address are worth a word.
    private List<RejectedChoice> Near(TrafficFacts traffic, CompiledListener? chosen = null)
    {
        var near = new List<RejectedChoice>();
        foreach (var listener in server.Listeners)
        {
            if (listener == chosen || listener.Addresses[0].Address is not IPEndPoint own)
            {
                continue;
            }
            if (own.Port == traffic.Destination.Port)
            {
                near.Add(new RejectedChoice(listener.Name, own.AddressFamily != traffic.Destination.AddressFamily
                    ? $"it is for {(own.AddressFamily == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4")}"
                    : IsWildcard(own) ? "a listener with the exact address goes before the wildcard" : $"its address is {own.Address}"));
            }
            else if (own.Address.Equals(traffic.Destination.Address) && !IsWildcard(own))
            {
                near.Add(new RejectedChoice(listener.Name, $"its port is {own.Port}"));
            }
        }
        return near;
    }

    private static bool IsWildcard(IPEndPoint own) => own.Address.Equals(IPAddress.Any) || own.Address.Equals(IPAddress.IPv6Any);
}
