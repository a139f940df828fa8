using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>
/// One scrape for application and proxy: the pod's Prometheus annotations point at the agent, which learns from an
/// environment variable where the application's own metrics are.
/// </summary>
internal static class PrometheusMerge
{
    // Annotation names as Prometheus' relabelling sees them: prometheus.io/port, prometheus-io/port, ... are one.
    private const string Scrape = "prometheus_io_scrape";
    private const string Port = "prometheus_io_port";
    private const string Path = "prometheus_io_path";
    private const string Targets = "prometheus_istio_io_scrape_targets";

    // interception.md, ports: what listens there is the proxy, not the application.
    private static readonly Dictionary<int, string> Reserved = new()
    {
        [15000] = "the admin interface",
        [15001] = "outbound capture",
        [15004] = "the debug interface",
        [15006] = "inbound capture",
        [15008] = "the HBONE tunnel",
        [15020] = "the agent's merged metrics",
        [15021] = "health checks",
        [15053] = "the DNS proxy",
        [15090] = "the proxy's metrics, which are merged already",
    };

    private sealed record Scraping(string Port, string Path);

    public static string? PortOf(PodDocument pod) => Value(pod, Port);

    public static void Clear(PodDocument pod)
    {
        foreach (var name in pod.Annotations.Select(entry => entry.Key).Where(IsOurs).ToList())
            pod.Annotations.Remove(name);
    }

    /// <exception cref="ManifestException">A port cannot be the application's.</exception>
    public static void Apply(PodDocument pod, PreviousInjection previous, MeshSettings mesh, Action<string> warn)
    {
        var merge = GoBoolean.Parse(pod.Annotation(MeshNames.MergeMetrics)) ?? mesh.PrometheusMerge;
        var agent = mesh.DefaultConfig.StatusPort.ToString(CultureInfo.InvariantCulture);
        if (!merge || PortOf(pod) == agent || GoBoolean.Parse(Value(pod, Scrape)) == false)
            return;
        var scraping = Collect(pod, mesh.DefaultConfig.StatusPort, warn) ?? previous.PrometheusScraping;
        if (scraping is not null && pod.Proxy() is { } proxy)
            Variables.Set(proxy, MeshNames.PrometheusVariable, scraping);
        Clear(pod);
        pod.Annotations["prometheus.io/scrape"] = "true";
        pod.Annotations["prometheus.io/port"] = agent;
        pod.Annotations["prometheus.io/path"] = "/stats/prometheus";
    }

    /// <summary>Tells Prometheus of the port where merged metrics are served with mutual TLS.</summary>
    public static void AnnounceSecurePort(PodDocument pod)
    {
        var port = pod.Proxy()?.Named("env", "ENVOY_SECURE_MERGED_METRICS_PORT").Text("value");
        if (port is not (null or "" or "0") && pod.Annotation(MeshNames.SecurePort) is null)
            pod.Annotations[MeshNames.SecurePort] = port;
    }

    private static string? Collect(PodDocument pod, int statusPort, Action<string> warn)
    {
        var (scrape, port, path) = (Value(pod, Scrape) ?? "", Value(pod, Port) ?? "", Value(pod, Path) ?? "");
        var targets = ReadTargets(Value(pod, Targets), warn);
        if (targets.Count > 0)
            (port, path) = (targets[0].Port, targets[0].Path);
        if (scrape.Length + port.Length + path.Length == 0)
            return null;
        if (port.Length > 0)
            port = Checked(port, statusPort);
        var found = new JsonObject { ["scrape"] = scrape, ["path"] = path, ["port"] = port };
        if (targets.Count > 0)
            found["targets"] = new JsonArray([.. targets.Select(target => (JsonNode)new JsonObject
            {
                ["port"] = Checked(target.Port, statusPort),
                ["path"] = target.Path,
            })]);
        return found.Compact();
    }

    private static List<Scraping> ReadTargets(string? text, Action<string> warn)
    {
        List<Scraping> targets = [];
        foreach (var target in (text ?? "").Split(',').Select(part => part.Trim()).Where(part => part.Length > 0))
        {
            var colon = target.IndexOf(':', StringComparison.Ordinal);
            var port = colon < 0 ? target : target[..colon];
            if (port.Length == 0)
            {
                warn($"the Prometheus scrape targets \"{text}\" are ignored: each must be PORT or PORT:PATH");
                return [];
            }
            targets.Add(new Scraping(port, colon < 0 || colon == target.Length - 1 ? "/metrics" : target[(colon + 1)..]));
        }
        return targets;
    }

    private static string Checked(string port, int statusPort)
    {
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 65535)
            throw new ManifestException(
                $"the Prometheus port \"{port}\" is refused: it must be a number from 1 to 65535; correct the annotation");
        if (number == statusPort || Reserved.ContainsKey(number))
            throw new ManifestException($"the Prometheus port {number} is refused: it belongs to "
                + $"{Reserved.GetValueOrDefault(number, "the agent")}; name a port of the application");
        return number.ToString(CultureInfo.InvariantCulture);
    }

    private static string? Value(PodDocument pod, string key) => pod.Metadata.TextMap("annotations")
        .Where(entry => Normalised(entry.Key) == key).Select(entry => entry.Value).FirstOrDefault();

    private static bool IsOurs(string name) => Normalised(name) is Scrape or Port or Path or Targets;

    private static string Normalised(string name) => string.Create(name.Length, name, static (to, from) =>
    {
        for (var k = 0; k < from.Length; k++)
            to[k] = char.IsAsciiLetterOrDigit(from[k]) ? from[k] : '_';
    });
}
