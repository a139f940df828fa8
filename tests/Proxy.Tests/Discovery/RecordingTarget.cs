using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;

namespace MeshProxy.Proxy.Tests.Discovery;

/// <summary>A subscriber that writes down what it sees, and refuses the names it is told to.</summary>
internal sealed class RecordingTarget : IWatchTarget
{
    public List<string> Seen { get; } = [];

    public string Refuse { get; set; } = "";

    public void OnUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string version, bool isDelta)
    {
        Seen.Add($"{string.Join(",", added.Select(resource => resource.Name))}-{string.Join(",", removed)}@{version}");
        if (added.Any(resource => resource.Name == Refuse))
        {
            throw new ConfigurationException($"{Refuse} is refused");
        }
    }

    public void OnRejected(string reason) => Seen.Add("rejected");

    public void OnStreamFailure() => Seen.Add("failed");
}
