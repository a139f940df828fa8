using Google.Protobuf.WellKnownTypes;

namespace MeshProxy.Proxy.Observability.Istio;

/// <summary>
/// The forms in which workload metadata travels: the Struct of node metadata, headers and the TCP exchange; the text of an
/// endpoint's metadata; W3C baggage.
/// </summary>
public static class WorkloadMetadataFormat
{
    private const string CanonicalNameLabel = "service.istio.io/canonical-name";
    private const string CanonicalRevisionLabel = "service.istio.io/canonical-revision";
    private const string OwnerPrefix = "kubernetes://apis/apps/v1/namespaces/";

    /// <summary>workload;namespace;canonical service;canonical revision;cluster.</summary>
    private const int EndpointParts = 5;

    /// <summary>Reads node metadata, of this node or a peer.</summary>
    /// <param name="additionalLabels">Labels to keep besides those with a field of their own.</param>
    /// <param name="region">Of the node's locality, where the metadata says nothing.</param>
    /// <param name="zone">Likewise.</param>
    public static WorkloadMetadata FromStruct(
        Struct metadata, IReadOnlySet<string> additionalLabels, string region = "", string zone = "")
    {
        var labels = metadata.Fields.TryGetValue("LABELS", out var given) ? given.StructValue : null;
        var workload = Text("WORKLOAD_NAME");
        return new WorkloadMetadata
        {
            Name = Text("NAME"),
            Namespace = Text("NAMESPACE"),
            Workload = workload,
            Cluster = Text("CLUSTER_ID"),
            Identity = Text("IDENTITY"),
            Type = TypeOfOwner(Text("OWNER"), workload),
            Region = Text("REGION") is { Length: > 0 } own ? own : region,
            Zone = Text("AVAILABILITY_ZONE") is { Length: > 0 } ownZone ? ownZone : zone,
            CanonicalName = Label(CanonicalNameLabel),
            CanonicalRevision = Label(CanonicalRevisionLabel),
            App = Label("app.kubernetes.io/name") is { Length: > 0 } app ? app : Label("app"),
            Version = Label("app.kubernetes.io/version") is { Length: > 0 } version ? version : Label("version"),
            Labels = Further(labels, additionalLabels),
        };

        string Text(string key) => metadata.Fields.TryGetValue(key, out var value) ? value.StringValue : "";

        string Label(string key) => labels is { } map && map.Fields.TryGetValue(key, out var value) ? value.StringValue : "";
    }

    /// <summary>Keys in order, so that equal metadata are equal bytes.</summary>
    public static Struct ToStruct(WorkloadMetadata workload)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [CanonicalNameLabel] = workload.CanonicalName,
            [CanonicalRevisionLabel] = workload.CanonicalRevision,
            ["app"] = workload.App,
            ["version"] = workload.Version,
        };
        foreach (var (name, value) in workload.Labels)
        {
            labels[name] = value;
        }
        var metadata = Struct.New();
        Set(metadata, "AVAILABILITY_ZONE", workload.Zone);
        Set(metadata, "CLUSTER_ID", workload.Cluster);
        Set(metadata, "IDENTITY", workload.Identity);
        var labelStruct = Struct.New();
        foreach (var (name, value) in labels)
        {
            Set(labelStruct, name, value);
        }
        var labelValue = Value.New();
        labelValue.StructValue = labelStruct;
        metadata.Fields.Set("LABELS", labelValue);
        Set(metadata, "NAME", workload.Name);
        Set(metadata, "NAMESPACE", workload.Namespace);
        Set(metadata, "OWNER", WorkloadMetadata.TypeName(workload.Type) is { } type
            ? $"{OwnerPrefix}{workload.Namespace}/{type}s/{workload.Workload}" : "");
        Set(metadata, "REGION", workload.Region);
        Set(metadata, "WORKLOAD_NAME", workload.Workload);
        return metadata;
    }

    /// <summary>Reads `filter_metadata.istio.workload` of an endpoint; null when the text has too few parts.</summary>
    public static WorkloadMetadata? FromEndpoint(string encoded)
    {
        var parts = encoded.Split(';');
        return parts.Length < EndpointParts ? null : new WorkloadMetadata
        {
            Workload = parts[0],
            Namespace = parts[1],
            CanonicalName = parts[2],
            CanonicalRevision = parts[3],
            Cluster = parts[4],
        };
    }

    /// <summary>Reads W3C baggage; keys that are not Istio's are left out.</summary>
    public static WorkloadMetadata FromBaggage(string baggage)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var workload = "";
        var type = WorkloadType.Unknown;
        foreach (var property in baggage.Split(','))
        {
            var equals = property.IndexOf('=');
            var key = equals < 0 ? property : property[..equals];
            var value = equals < 0 ? "" : property[(equals + 1)..];
            if (key is "k8s.deployment.name" or "k8s.pod.name" or "k8s.cronjob.name" or "k8s.job.name")
            {
                workload = value;
                type = WorkloadMetadata.TypeOf(key.AsSpan("k8s.".Length, key.Length - "k8s..name".Length));
            }
            else
            {
                values[key] = value;
            }
        }
        return new WorkloadMetadata
        {
            Workload = workload,
            Type = type,
            Namespace = Of("k8s.namespace.name"),
            Cluster = Of("k8s.cluster.name"),
            Name = Of("k8s.instance.name"),
            CanonicalName = Of("service.name", "app.name"),
            App = Of("app.name", "service.name"),
            CanonicalRevision = Of("service.version", "app.version"),
            Version = Of("app.version", "service.version"),
            Region = Of("cloud.region"),
            Zone = Of("cloud.availability_zone"),
        };

        string Of(string key, string otherwise = "") =>
            values.GetValueOrDefault(key) is { Length: > 0 } value ? value : values.GetValueOrDefault(otherwise, "");
    }

    /// <summary>As W3C baggage, in Istio's order.</summary>
    public static string ToBaggage(WorkloadMetadata workload)
    {
        var parts = new List<string>();
        var service = workload.CanonicalName.Length > 0 ? workload.CanonicalName : workload.App;
        var revision = workload.CanonicalRevision.Length > 0 ? workload.CanonicalRevision : workload.Version;
        Add($"k8s.{WorkloadMetadata.TypeName(workload.Type) ?? "pod"}.name", workload.Workload);
        Add("service.name", service);
        Add("app.name", workload.App == service ? "" : workload.App);
        Add("service.version", revision);
        Add("app.version", workload.Version == revision ? "" : workload.Version);
        Add("k8s.namespace.name", workload.Namespace);
        Add("k8s.cluster.name", workload.Cluster);
        Add("k8s.instance.name", workload.Name);
        Add("cloud.region", workload.Region);
        Add("cloud.availability_zone", workload.Zone);
        return string.Join(',', parts);

        void Add(string key, string value)
        {
            if (value.Length > 0)
            {
                parts.Add($"{key}={value}");
            }
        }
    }

    // `kubernetes://apis/apps/v1/namespaces/NS/deployments/NAME`: what stands before `s/NAME` is the kind.
    private static WorkloadType TypeOfOwner(string owner, string workload)
    {
        var tail = workload.Length + "s/".Length;
        if (owner.Length <= tail)
        {
            return WorkloadType.Unknown;
        }
        var rest = owner.AsSpan(0, owner.Length - tail);
        var slash = rest.LastIndexOf('/');
        return slash < 0 ? WorkloadType.Unknown : WorkloadMetadata.TypeOf(rest[(slash + 1)..]);
    }

    private static List<KeyValuePair<string, string>> Further(Struct? labels, IReadOnlySet<string> wanted)
    {
        var further = new List<KeyValuePair<string, string>>();
        if (labels is not { } map || wanted.Count == 0)
        {
            return further;
        }
        foreach (var (name, value) in map.Fields)
        {
            var own = name is CanonicalNameLabel or CanonicalRevisionLabel or "app" or "version"
                or "app.kubernetes.io/name" or "app.kubernetes.io/version";
            if (!own && wanted.Contains(name))
            {
                further.Add(new(name, value.StringValue));
            }
        }
        return further;
    }

    private static void Set(Struct target, string key, string value)
    {
        if (value.Length > 0)
        {
            var made = Value.New();
            made.StringValue = value;
            target.Fields.Set(key, made);
        }
    }
}
