namespace MeshProxy.Demo.Traffic;

/// <summary>What a client has seen so far.</summary>
/// <param name="Versions">By version, in the order of their labels.</param>
/// <param name="Failures">How many requests failed.</param>
/// <param name="FirstFailure">What the first failure was; empty without one.</param>
public sealed record TrafficFigures(IReadOnlyList<VersionFigures> Versions, int Failures, string FirstFailure)
{
    /// <summary>All requests that were answered.</summary>
    public int Answers => Versions.Sum(v => v.Answers);

    /// <summary>The part of all answers that one version gave, from 0 to 1.</summary>
    public double Share(string version) => Versions.FirstOrDefault(v => v.Version == version)?.Share ?? 0;
}
