using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MeshProxy.Agent.Status;

/// <summary>Reads ISTIO_KUBE_APP_PROBERS: a map of the agent's paths to Kubernetes' probes.</summary>
internal static partial class ProbeSettings
{
    private const string Variable = "ISTIO_KUBE_APP_PROBERS";

    /// <exception cref="AgentException">It is not such a map.</exception>
    public static Dictionary<string, ApplicationProbe> Parse(string? json)
    {
        var probes = new Dictionary<string, ApplicationProbe>(StringComparer.Ordinal);
        if (string.IsNullOrEmpty(json))
            return probes;
        try
        {
            foreach (var (path, probe) in JsonNode.Parse(json)!.AsObject())
                probes.Add(path, Read(path, probe!.AsObject()));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new AgentException($"{Variable} is not what the injector writes: {e.Message.TrimEnd('.')}", e);
        }
        return probes;
    }

    private static ApplicationProbe Read(string path, JsonObject probe)
    {
        if (!ProbePath().IsMatch(path))
            throw new AgentException($"{Variable}: {path} is no path of a probe: it has to be /app-health/CONTAINER/livez, or readyz, startupz");
        TimeSpan? timeout = probe["timeoutSeconds"] is { } seconds ? TimeSpan.FromSeconds(seconds.GetValue<double>()) : null;
        var handlers = new[] { "httpGet", "tcpSocket", "grpc" }.Where(kind => probe[kind] is not null).ToList();
        if (handlers is not [var handler])
            throw new AgentException($"{Variable}: {path} needs exactly one of httpGet, tcpSocket and grpc");
        var details = probe[handler]!.AsObject();
        return new ApplicationProbe
        {
            Kind = handler switch { "httpGet" => ProbeKind.Http, "tcpSocket" => ProbeKind.Tcp, _ => ProbeKind.Grpc },
            Port = Port(path, details["port"]),
            Host = Text(details, "host"),
            Timeout = timeout is { Ticks: > 0 } ? timeout : null,
            Path = Text(details, "path") is { Length: > 0 } given ? (given.StartsWith('/') ? given : "/" + given) : "/",
            IsHttps = string.Equals(Text(details, "scheme"), "HTTPS", StringComparison.OrdinalIgnoreCase),
            Headers = Headers(details),
            Service = Text(details, "service") ?? "",
        };
    }

    private static int Port(string path, JsonNode? port) =>
        port is JsonValue value && value.TryGetValue<int>(out var number) && number is > 0 and <= 65535
            ? number
            : throw new AgentException($"{Variable}: the port of {path} has to be a number");

    private static List<KeyValuePair<string, string>> Headers(JsonObject details) =>
        details["httpHeaders"] is JsonArray headers
            ? [.. headers.Select(h => new KeyValuePair<string, string>(Text(h!.AsObject(), "name") ?? "", Text(h.AsObject(), "value") ?? ""))]
            : [];

    private static string? Text(JsonObject node, string name) => node[name]?.GetValue<string>();

    [GeneratedRegex("^/(app-health|app-lifecycle)/[^/]+/(livez|readyz|startupz|prestopz|poststartz)$")]
    private static partial Regex ProbePath();
}
