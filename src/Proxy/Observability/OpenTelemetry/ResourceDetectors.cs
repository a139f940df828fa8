using Envoy.Extensions.Tracers.Opentelemetry.ResourceDetectors.V3;
using MeshProxy.Proxy.Configuration;
using TypedExtensionConfig = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Observability.OpenTelemetry;

/// <summary>Where attributes of the resource come from, by the name of their configuration.</summary>
internal static class ResourceDetectors
{
    private const string EnvironmentAttributes = "OTEL_RESOURCE_ATTRIBUTES";

    /// <exception cref="ConfigurationException">The detector is unknown, or the environment cannot be read.</exception>
    public static IEnumerable<KeyValuePair<string, string>> Detect(TypedExtensionConfig detector, string field)
    {
        if (detector.TypedConfig is { } typed && typed.Is<StaticConfigResourceDetectorConfig>())
        {
            return typed.Unpack<StaticConfigResourceDetectorConfig>().Attributes;
        }
        if (detector.TypedConfig is { } other && other.Is<EnvironmentResourceDetectorConfig>())
        {
            return DetectEnvironment(field);
        }
        throw new ConfigurationException(
            $"{field}: Resource detector factory not found: '{detector.Name}'; use environment or static_config.");
    }

    private static List<KeyValuePair<string, string>> DetectEnvironment(string field)
    {
        if (Environment.GetEnvironmentVariable(EnvironmentAttributes) is not { Length: > 0 } pairs)
        {
            throw new ConfigurationException(
                $"{field}: The environment variable {EnvironmentAttributes} is empty; set it, or remove the detector.");
        }
        var found = new List<KeyValuePair<string, string>>();
        foreach (var pair in pairs.Split(','))
        {
            var parts = pair.Split('=');
            if (parts.Length != 2)
            {
                throw new ConfigurationException(
                    $"{field}: '{pair}' in {EnvironmentAttributes} is no attribute; write name=value, separated by commas.");
            }
            found.Add(new(parts[0], parts[1]));
        }
        return found;
    }
}
