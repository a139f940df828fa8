using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Server;
using Opentelemetry.Proto.Resource.V1;
using TypedExtensionConfig = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Observability.OpenTelemetry;

/// <summary>What stands for the proxy in spans and metrics.</summary>
internal static class OtlpResources
{
    /// <summary>Name of a service that was not told its own (OpenTelemetry resource conventions, service.name).</summary>
    private const string UnknownService = "unknown_service:envoy";

    /// <param name="service">Name of the service; empty is unknown.</param>
    /// <param name="namesService">Say the service's name.</param>
    /// <param name="namesSdk">Say whose library it is.</param>
    /// <exception cref="ConfigurationException">A detector is unknown, or the environment cannot be read.</exception>
    public static Resource Of(
        string service, bool namesService, bool namesSdk, IReadOnlyList<TypedExtensionConfig> detectors, string field)
    {
        var attributes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (namesService)
        {
            attributes["service.name"] = service.Length > 0 ? service : UnknownService;
        }
        if (namesSdk)
        {
            // As Envoy's own, whose place this takes: collectors group by it.
            attributes["telemetry.sdk.language"] = "cpp";
            attributes["telemetry.sdk.name"] = "envoy";
            attributes["telemetry.sdk.version"] = ServerVersion.EnvoyCompatible;
        }
        foreach (var detector in detectors)
        {
            foreach (var (key, value) in ResourceDetectors.Detect(detector, $"{field}.resource_detectors[{detector.Name}]"))
            {
                Put(attributes, key, value);
            }
        }
        var resource = Resource.New();
        foreach (var (key, value) in attributes)
        {
            OtlpAttributes.Add(resource.Attributes, key, value);
        }
        return resource;
    }

    // An empty value tells nothing: it does not replace what is known.
    private static void Put(SortedDictionary<string, string> attributes, string key, string value)
    {
        if (value.Length > 0 || !attributes.ContainsKey(key))
        {
            attributes[key] = value;
        }
    }
}
