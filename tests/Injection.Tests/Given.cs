using System.Text.Json.Nodes;
using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Tests;

/// <summary>Inputs that tests vary.</summary>
internal static class Given
{
    public static InjectionValues Values(string? yaml = null) => ValuesReader.Read(yaml, "values", _ => { });

    public static MeshSettings Mesh(string? yaml = null, InjectionValues? values = null) =>
        MeshSettings.Read(yaml, "mesh", values ?? Values(), _ => { });

    public static JsonObject Pod(string yaml) => YamlReader.ReadObject(yaml, "pod");

    public static InjectionRequest Request(
        JsonObject pod, string? values = null, string? mesh = null, bool native = true, List<string>? warnings = null)
    {
        var read = Values(values);
        return new InjectionRequest
        {
            Pod = pod,
            Owner = WorkloadOwner.OfPod(pod.Object("metadata") ?? [], "shop"),
            Values = read,
            Mesh = Mesh(mesh, read),
            Revision = "",
            NativeSidecars = native,
            Warn = message => warnings?.Add(message),
        };
    }

    public static JsonObject Injected(
        string pod, string? values = null, string? mesh = null, bool native = true, List<string>? warnings = null) =>
        PodInjector.Inject(Request(Pod(pod), values, mesh, native, warnings));

    public static JsonObject Proxy(this JsonObject pod) => new PodDocument(pod).Proxy()!;

    public static string? Variable(this JsonObject container, string name) => container.Named("env", name).Text("value");
}
