namespace MeshProxy.Cli.Diff;

internal enum DifferenceKind
{
    Added,
    Removed,
    Changed,
}

/// <summary>A resource that differs.</summary>
/// <param name="Section">`listeners`, `clusters`, …</param>
/// <param name="Fields">Of a changed one: every field that differs.</param>
internal sealed record ResourceDifference(
    string Section, string Name, DifferenceKind Kind, IReadOnlyList<FieldDifference> Fields);

/// <summary>A field that differs.</summary>
/// <param name="Path">`filter_chains[0.0.0.0_80].filters[…].typed_config.stat_prefix`.</param>
/// <param name="Before">Compact JSON; null where the field was not there.</param>
/// <param name="After">Compact JSON; null where the field is not there any more.</param>
internal sealed record FieldDifference(string Path, string? Before, string? After);
