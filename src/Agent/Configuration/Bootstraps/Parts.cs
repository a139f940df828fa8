using System.Globalization;
using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration.Bootstraps;

/// <summary>Parts that bootstraps are made of, in protobuf's JSON.</summary>
internal static class Parts
{
    /// <summary>A message in an Any.</summary>
    public static JsonObject Typed(string type, JsonObject? fields = null)
    {
        var message = new JsonObject { ["@type"] = "type.googleapis.com/" + type };
        foreach (var (name, value) in fields ?? [])
            message[name] = value?.DeepClone();
        return message;
    }

    /// <summary>An extension by name and configuration.</summary>
    public static JsonObject Extension(string name, string type, JsonObject? fields = null) =>
        new() { ["name"] = name, ["typed_config"] = Typed(type, fields) };

    public static JsonObject Address(string host, int port) =>
        new() { ["socket_address"] = new JsonObject { ["address"] = host, ["port_value"] = port } };

    /// <summary>An address written HOST:PORT, IPv6 hosts in brackets.</summary>
    /// <exception cref="AgentException">It is not written so.</exception>
    public static JsonObject Address(string place, string setting)
    {
        var colon = place.LastIndexOf(':');
        return colon > 0 && int.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? Address(place[..colon].Trim('[', ']'), port)
            : throw new AgentException($"PROXY_CONFIG: {setting} is \"{place}\", which is no HOST:PORT");
    }

    /// <summary>The configuration that comes over the aggregated stream.</summary>
    public static JsonObject OverAds() => new() { ["ads"] = new JsonObject(), ["resource_api_version"] = "V3" };

    /// <summary>A service of gRPC behind one of our clusters.</summary>
    public static JsonObject Grpc(string cluster) =>
        new() { ["envoy_grpc"] = new JsonObject { ["cluster_name"] = cluster } };
}
