using System.Text;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Offline;

/// <summary>Injects the workloads of a manifest; what has no pod is written back as it came.</summary>
public sealed class ManifestInjector
{
    private readonly OfflineSettings _settings;
    private readonly Action<string> _warn;

    /// <param name="settings">Values, mesh configuration and revision.</param>
    /// <param name="warn">Gets one line a warning.</param>
    public ManifestInjector(OfflineSettings settings, Action<string> warn)
    {
        _settings = settings;
        _warn = warn;
    }

    /// <returns>The whole output: nothing may be written when a part is refused.</returns>
    /// <exception cref="ManifestException">A document is no YAML or asks for something that is refused.</exception>
    public string Inject(string manifest)
    {
        var output = new StringBuilder(manifest.Length * 4);
        var index = 0;
        foreach (var part in ManifestText.Split(manifest))
        {
            var text = part.Text;
            if (!part.IsSeparator)
            {
                index++;
                text = InjectDocument(text, $"document {index}") ?? text;
            }
            output.Append(text);
        }
        return output.ToString();
    }

    private string? InjectDocument(string text, string what)
    {
        if (YamlReader.Read(text, what) is not JsonObject document || !InjectObject(document))
            return null;
        return YamlWriter.Write(document);
    }

    /// <returns>Whether the object was changed.</returns>
    private bool InjectObject(JsonObject document)
    {
        if (document.Text("kind") == "List" && document.Text("apiVersion") == "v1")
        {
            var changed = false;
            foreach (var item in document.Members("items").ToList())
                changed |= InjectObject(item);
            return changed;
        }
        return Workload.From(document) is { } workload && InjectWorkload(workload);
    }

    private bool InjectWorkload(Workload workload)
    {
        void Warn(string message) => _warn($"{workload.Title}: {message}");
        switch (InjectionDecision.Decide(new PodDocument(workload.Pod.DeepClone().AsObject()), workload.Namespace, _settings.Values, Warn))
        {
            case InjectionDecision.Outcome.HostNetwork:
                _warn($"Skipping injection because {workload.Title} has host networking enabled");
                return false;
            case InjectionDecision.Outcome.Windows:
                _warn($"Skipping injection because {workload.Title} runs on Windows");
                return false;
            case InjectionDecision.Outcome.SystemNamespace:
                _warn($"Skipping injection because {workload.Title} is in a namespace of the cluster itself");
                return false;
            case InjectionDecision.Outcome.Disabled:
                _warn($"Skipping injection because {workload.Title} has sidecar injection disabled");
                return false;
        }
        JsonObject injected;
        try
        {
            injected = PodInjector.Inject(new InjectionRequest
            {
                Pod = workload.Pod,
                Owner = workload.Owner,
                Values = _settings.Values,
                Mesh = _settings.Mesh,
                Revision = _settings.Revision,
                NativeSidecars = _settings.NativeSidecars,
                CompliancePolicy = _settings.CompliancePolicy,
                Warn = Warn,
            });
        }
        catch (ManifestException e)
        {
            throw new ManifestException($"{workload.Title}: {e.Message}", e);
        }
        workload.Pod["metadata"] = injected["metadata"]?.DeepClone();
        workload.Pod["spec"] = injected["spec"]?.DeepClone();
        return true;
    }
}
