namespace MeshProxy.Demo.Traffic;

/// <summary>What was seen of one version.</summary>
/// <param name="Version">Its label.</param>
/// <param name="Answers">How many requests it answered.</param>
/// <param name="Share">The part of all answers, from 0 to 1.</param>
/// <param name="P50">The median time of an answer, at the client.</param>
/// <param name="P99">The time that 99 of 100 answers stayed under, at the client.</param>
public sealed record VersionFigures(string Version, int Answers, double Share, TimeSpan P50, TimeSpan P99);
