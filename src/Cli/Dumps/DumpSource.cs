using System.CommandLine;
using System.Text.Json;
using Envoy.Admin.V3;
using Envoy.Config.Route.V3;
using MeshProxy.Proxy.Explanation;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Cli.Dumps;

/// <summary>
/// Where a command gets its configuration: a running proxy, or files. A file is a /config_dump (of this proxy, of Envoy, of
/// `istioctl proxy-config all -o json`), or a list of listeners, clusters or routes as istioctl prints with `-o json`.
/// </summary>
internal static class DumpSource
{
    // Envoy of another age or build knows what this one does not.
    private static readonly JsonReadOptions Reading = new() { OnUnknownField = static _ => { }, KeepsUnknownTypes = true };

    /// <summary>The path of a whole dump.</summary>
    public const string DumpPath = "/config_dump?include_eds";

    public static Option<string> AdminOption() => new("--admin")
    {
        Description = "Address of a running proxy's admin interface.",
        DefaultValueFactory = static _ => AdminClient.DefaultAddress,
    };

    public static Option<string[]> FileOption() => new("--file", "-f")
    {
        Description = "A config_dump instead of a running proxy; several are read as one.",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>The message of a dump, read from files or asked of the proxy.</summary>
    /// <exception cref="CommandException">There is none, or it is no dump.</exception>
    public static ConfigDump Load(string admin, IReadOnlyList<string> files)
    {
        if (files.Count == 0)
        {
            return Parse(AdminClient.Get(admin, DumpPath), $"the answer of {admin}");
        }
        var whole = ConfigDump.New();
        foreach (var file in files)
        {
            foreach (var config in Read(file).Configs)
            {
                whole.Configs.Add(config);
            }
        }
        return whole;
    }

    /// <summary>A dump from one file, or from the proxy at an address when no file has that name.</summary>
    public static ConfigDump LoadEither(string place) => File.Exists(place) ? Read(place)
        : place.Contains(':') ? Load(place, [])
        : throw new CommandException($"{place} is no file and no ADDRESS:PORT of an admin interface.");

    public static ConfigurationDump Dump(string admin, IReadOnlyList<string> files)
    {
        try
        {
            return ConfigurationDump.Of(Load(admin, files));
        }
        catch (ProtobufException wrong)
        {
            throw new CommandException($"the dump cannot be read: {wrong.Message}");
        }
    }

    private static ConfigDump Read(string file)
    {
        try
        {
            return Parse(File.ReadAllBytes(file), file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(error is FileNotFoundException or DirectoryNotFoundException
                ? $"there is no file {file}." : $"{file} cannot be read: {error.Message}");
        }
    }

    private static ConfigDump Parse(byte[] json, string where)
    {
        try
        {
            return json.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'[', ..]
                ? OfList(json)
                : MessageJson.Parse<ConfigDump>(json, Reading);
        }
        catch (Exception wrong) when (wrong is ProtobufException or JsonException)
        {
            throw new CommandException($"{where} is no config_dump: {wrong.Message}");
        }
    }

    // istioctl prints bare lists; what they are of shows in their fields.
    private static ConfigDump OfList(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var listeners = ListenersConfigDump.New();
        var clusters = ClustersConfigDump.New();
        var routes = RoutesConfigDump.New();
        foreach (var element in document.RootElement.EnumerateArray())
        {
            var text = System.Text.Encoding.UTF8.GetBytes(element.GetRawText());
            if (Has(element, "filterChains", "filter_chains") || Has(element, "defaultFilterChain", "default_filter_chain"))
            {
                var entry = ListenersConfigDump.StaticListener.New();
                entry.Listener = Any.Pack(MessageJson.Parse<Listener>(text, Reading));
                listeners.StaticListeners.Add(entry);
            }
            else if (Has(element, "virtualHosts", "virtual_hosts"))
            {
                var entry = RoutesConfigDump.DynamicRouteConfig.New();
                entry.RouteConfig = Any.Pack(MessageJson.Parse<RouteConfiguration>(text, Reading));
                routes.DynamicRouteConfigs.Add(entry);
            }
            else
            {
                var entry = ClustersConfigDump.StaticCluster.New();
                entry.Cluster = Any.Pack(MessageJson.Parse<Cluster>(text, Reading));
                clusters.StaticClusters.Add(entry);
            }
        }
        var dump = ConfigDump.New();
        dump.Configs.Add(Any.Pack(clusters));
        dump.Configs.Add(Any.Pack(listeners));
        dump.Configs.Add(Any.Pack(routes));
        return dump;
    }

    private static bool Has(JsonElement element, string camel, string snake) =>
        element.ValueKind == JsonValueKind.Object && (element.TryGetProperty(camel, out _) || element.TryGetProperty(snake, out _));
}
