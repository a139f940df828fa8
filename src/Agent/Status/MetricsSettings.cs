using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Status;

/// <summary>Reads ISTIO_PROMETHEUS_ANNOTATIONS: what the pod's own annotations for Prometheus were.</summary>
internal static class MetricsSettings
{
    private const string Variable = "ISTIO_PROMETHEUS_ANNOTATIONS";

    // Istio's defaults (status/server.go).
    private const int DefaultPort = 80;
    private const string DefaultPath = "/metrics";

    // Ports of the proxy and the agent themselves: metrics from there would contain themselves.
    private static readonly int[] Reserved = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

    /// <exception cref="AgentException">It is not what the injector writes.</exception>
    public static IReadOnlyList<MetricsTarget> Parse(string? json, int statusPort)
    {
        if (string.IsNullOrEmpty(json))
            return [];
        try
        {
            var settings = JsonNode.Parse(json)!.AsObject();
            // Targets by themselves are asked for by being there; without any, "scrape" has to say so.
            if (settings["targets"] is JsonArray { Count: > 0 } targets)
                return IsFalse(settings["scrape"]) ? [] : [.. targets.Select(target => Target(target!.AsObject(), statusPort))];
            return IsTrue(settings["scrape"]) ? [Target(settings, statusPort)] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new AgentException($"{Variable} is not what the injector writes: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static bool IsTrue(JsonNode? scrape) => Text(scrape) is "true" or "True" or "TRUE" or "t" or "T" or "1";

    private static bool IsFalse(JsonNode? scrape) => Text(scrape) is { Length: > 0 } && !IsTrue(scrape);

    private static MetricsTarget Target(JsonObject target, int statusPort)
    {
        var port = Text(target["port"]) is { Length: > 0 } text ? Port(text) : DefaultPort;
        if (port == statusPort || Reserved.Contains(port))
            throw new AgentException($"{Variable}: port {port} is one of the proxy's own: give the application's");
        return new MetricsTarget(port, Text(target["path"]) is { Length: > 0 } path ? path : DefaultPath);
    }

    private static int Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw new AgentException($"{Variable}: the port \"{text}\" is no number from 1 to 65535");

    private static string? Text(JsonNode? node) => node is null ? null : node.ToString();
}
