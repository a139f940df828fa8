using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>What injection reads of MeshConfig (istio/api mesh/v1alpha1).</summary>
public sealed record MeshSettings
{
    public required string TrustDomain { get; init; }
    public required bool PrometheusMerge { get; init; }

    /// <summary>Whether inbound requests reach the application on its loopback address, as before Istio 1.10.</summary>
    public required bool InboundLocalhost { get; init; }
    public required ProxyConfiguration DefaultConfig { get; init; }

    /// <param name="yaml">A part of MeshConfig, or null.</param>
    /// <param name="what">How a message names the file.</param>
    /// <param name="values">Values, which set some of it.</param>
    /// <param name="warn">Told of names that have no effect.</param>
    /// <exception cref="ManifestException">The text is no YAML or breaks a rule of ProxyConfig.</exception>
    public static MeshSettings Read(string? yaml, string what, InjectionValues values, Action<string> warn)
    {
        var mesh = FromChart(values);
        ValuesReader.Overlay(mesh, values.MeshConfig);
        if (yaml is not null)
            ValuesReader.Overlay(mesh, YamlReader.ReadObject(yaml, what));
        var defaults = ProxyConfiguration.From(mesh.Object("defaultConfig") ?? [], $"defaultConfig of {what}");
        foreach (var name in defaults.Unknown)
            warn($"{what}: defaultConfig.{name} is no field of ProxyConfig and has no effect");
        return new MeshSettings
        {
            TrustDomain = mesh.Text("trustDomain") ?? "",
            PrometheusMerge = mesh.Text("enablePrometheusMerge") != "false",
            InboundLocalhost = mesh.Object("inboundTrafficPolicy").Text("mode") == "LOCALHOST",
            DefaultConfig = defaults,
        };
    }

    // The istiod chart writes these into the mesh's ConfigMap from its values.
    private static JsonObject FromChart(InjectionValues values)
    {
        var revision = values.Revision.Length > 0 ? "-" + values.Revision : "";
        var defaults = new JsonObject
        {
            ["discoveryAddress"] = $"istiod{revision}.{values.IstioNamespace}.svc:15012",
        };
        if (values.MeshId.Length > 0)
            defaults["meshId"] = values.MeshId;
        if (values.Variant.Length > 0)
            defaults["image"] = new JsonObject { ["imageType"] = values.Variant };
        return new JsonObject { ["trustDomain"] = "cluster.local", ["defaultConfig"] = defaults };
    }
}
