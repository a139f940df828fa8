using System.Collections.Immutable;

namespace MeshProxy.Interception.Rules;

/// <summary>
/// A rule of a chain. <see cref="Position"/> counts from one and inserts before what stands there when the rule is
/// added; null appends.
/// </summary>
public sealed record Rule(
    Table Table, string Chain, Families Families, ImmutableArray<Match> Matches, Target Target, int? Position = null);
