using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Observability.Istio;

/// <summary>
/// What one proxy tells another of its workload (Istio's WorkloadMetadataObject). In the filter state it stands for the peer;
/// absent facts are empty.
/// </summary>
public sealed class WorkloadMetadata : IFilterStateObject, ICelObject
{
    /// <summary>Filter state of the client's workload, with the fields that are known.</summary>
    public const string DownstreamPeer = "downstream_peer";

    /// <summary>Filter state of the server's workload.</summary>
    public const string UpstreamPeer = "upstream_peer";

    /// <summary>The same object, of which every field can be asked (`%FILTER_STATE(downstream_peer_obj:FIELD:workload)%`).</summary>
    public const string DownstreamPeerObject = "downstream_peer_obj";

    public const string UpstreamPeerObject = "upstream_peer_obj";

    /// <summary>Set by the TCP exchange when the peer told nothing, so that nobody waits for it any longer.</summary>
    public const string NoPeer = "peer_not_found";

    public string Name { get; init; } = "";

    public string Cluster { get; init; } = "";

    public string Namespace { get; init; } = "";

    public string Workload { get; init; } = "";

    public string CanonicalName { get; init; } = "";

    public string CanonicalRevision { get; init; } = "";

    public string App { get; init; } = "";

    public string Version { get; init; } = "";

    public WorkloadType Type { get; init; }

    /// <summary>SPIFFE identity, where discovery knows it; peers do not send it of themselves.</summary>
    public string Identity { get; init; } = "";

    public string Region { get; init; } = "";

    public string Zone { get; init; } = "";

    /// <summary>Further labels that the configuration asked for (additional_labels).</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; init; } = [];

    private MetadataValue.StructNode Fields => field ??= ToFields();

    /// <summary>`name=value` pairs of what is known, joined by commas.</summary>
    public string SerializeAsString()
    {
        var parts = new List<string>();
        foreach (var (name, value) in Fields.Fields)
        {
            if (value is MetadataValue.StringNode text)
            {
                parts.Add($"{name}={text.Value}");
            }
        }
        foreach (var (name, value) in Labels)
        {
            parts.Add($"labels[{name}]={value}");
        }
        return string.Join(',', parts);
    }

    /// <summary>As the protobuf Any that Envoy prints: a google.protobuf.Struct.</summary>
    public string SerializeAsJson()
    {
        var writer = new ByteWriter();
        writer.Write("{\"@type\":\"type.googleapis.com/google.protobuf.Struct\",\"value\":");
        JsonText.WriteValue(Fields, writer);
        writer.Write((byte)'}');
        return System.Text.Encoding.UTF8.GetString(writer.Written);
    }

    /// <summary>The value of a field by its name in expressions; null for a name there is none of.</summary>
    public string? GetField(string name) =>
        name switch
        {
            "namespace" => Namespace,
            "cluster" => Cluster,
            "service" => CanonicalName,
            "revision" => CanonicalRevision,
            "app" => App,
            "version" => Version,
            "workload" => Workload,
            "type" => TypeName(Type) ?? "unknown",
            "name" => Name,
            "region" => Region,
            "availability_zone" => Zone,
            _ => null,
        };

    public CelValue ToCel() => CelMetadata.Of(Fields.Fields);

    /// <summary>`deployment`, `pod` …; null when unknown.</summary>
    internal static string? TypeName(WorkloadType type) =>
        type switch
        {
            WorkloadType.Pod => "pod",
            WorkloadType.Deployment => "deployment",
            WorkloadType.Job => "job",
            WorkloadType.CronJob => "cronjob",
            _ => null,
        };

    internal static WorkloadType TypeOf(ReadOnlySpan<char> name) =>
        name switch
        {
            "pod" => WorkloadType.Pod,
            "deployment" => WorkloadType.Deployment,
            "job" => WorkloadType.Job,
            "cronjob" => WorkloadType.CronJob,
            _ => WorkloadType.Unknown,
        };

    private MetadataValue.StructNode ToFields()
    {
        var fields = new Dictionary<string, MetadataValue>(StringComparer.Ordinal);
        Add("type", TypeName(Type) ?? "");
        Add("workload", Workload);
        Add("name", Name);
        Add("cluster", Cluster);
        Add("namespace", Namespace);
        Add("service", CanonicalName);
        Add("revision", CanonicalRevision);
        Add("app", App);
        Add("version", Version);
        Add("identity", Identity);
        Add("region", Region);
        Add("availability_zone", Zone);
        if (Labels.Count > 0)
        {
            var labels = new Dictionary<string, MetadataValue>(StringComparer.Ordinal);
            foreach (var (name, value) in Labels)
            {
                labels[name] = MetadataValue.From(value);
            }
            fields["labels"] = new MetadataValue.StructNode(labels);
        }
        return new MetadataValue.StructNode(fields);

        void Add(string name, string value)
        {
            if (value.Length > 0)
            {
                fields[name] = MetadataValue.From(value);
            }
        }
    }
}
