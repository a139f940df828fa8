using System.CommandLine;
using MeshProxy.Proxy.Explanation;
using Envoy.Config.Core.V3;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy listeners`: as `istioctl proxy-config listeners`, a row a filter chain.</summary>
internal static class ListenersView
{
    private static readonly Option<string> Address = new("--address") { Description = "Address of the listener." };
    private static readonly Option<uint> Port = new("--port") { Description = "Port of the listener." };
    private static readonly Option<string> Type = new("--type") { Description = "HTTP, TCP or HTTP+TCP." };
    private static readonly Option<string> Direction = new("--direction") { Description = "inbound or outbound." };
    private static readonly Option<string> Fqdn = new("--fqdn") { Description = "Host of a service that the listener leads to." };
    private static readonly ViewOptions Options = new();

    public static Command Create()
    {
        var command = new Command("listeners", "Lists listeners and where their filter chains lead.")
        {
            Address, Port, Type, Direction, Fqdn,
        };
        command.Aliases.Add("listener");
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() => Show(line)));
        return command;
    }

    private static int Show(ParseResult line)
    {
        var listeners = Options.Dump(line).Listeners
            .Where(entry => entry.State != DumpState.Draining && Fits(line, entry.Resource))
            .Select(static entry => entry.Resource)
            .OrderBy(static listener => PortOf(listener))
            .ThenBy(static listener => AddressOf(listener), StringComparer.Ordinal)
            .ToList();
        return Options.Print(line, listeners.Select(static listener => listener.Message), output =>
        {
            var table = new TextTable("ADDRESSES", "PORT", "MATCH", "DESTINATION");
            foreach (var listener in listeners)
            {
                var addresses = string.Join(",", AddressesOf(listener));
                foreach (var chain in ChainsView.Of(listener))
                {
                    table.Add(addresses, PortOf(listener) is 0 ? "0" : PortOf(listener).ToString(), chain.Match, chain.Destination);
                }
            }
            table.Write(output);
        });
    }

    private static bool Fits(ParseResult line, Listener listener) =>
        (line.GetValue(Address) is not { } address || AddressesOf(listener).Contains(address, StringComparer.OrdinalIgnoreCase))
        && (line.GetValue(Port) == 0 || PortOf(listener) == line.GetValue(Port))
        && (line.GetValue(Type) is not { } type || ChainsView.TypeOf(listener).Equals(type, StringComparison.OrdinalIgnoreCase))
        && (line.GetValue(Direction) is not { } direction
            || listener.TrafficDirection.ToString().Equals(direction, StringComparison.OrdinalIgnoreCase))
        && (line.GetValue(Fqdn) is not { } host
            || ChainsView.Of(listener).Any(chain => chain.Destination.Contains(host, StringComparison.Ordinal)));

    private static IEnumerable<string> AddressesOf(Listener listener) =>
        listener.AdditionalAddresses.Select(static extra => Text(extra.Address)).Prepend(AddressOf(listener));

    private static string AddressOf(Listener listener) => listener.InternalListener is not null ? "internal" : Text(listener.Address);

    private static string Text(Address? address) => address?.SocketAddress?.Address ?? address?.Pipe?.Path ?? "";

    private static uint PortOf(Listener listener) => listener.Address?.SocketAddress?.PortValue ?? 0;
}
