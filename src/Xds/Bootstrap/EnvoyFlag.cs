namespace MeshProxy.Xds.Bootstrap;

/// <summary>One flag of the command line.</summary>
/// <param name="Name">Without its two dashes.</param>
/// <param name="ShortName">A letter, or null.</param>
/// <param name="ValueName">What the value is, or null for a switch.</param>
/// <param name="Help">One line.</param>
/// <param name="Apply">Takes the value into the options.</param>
/// <param name="IsMultiple">Whether it may be given several times.</param>
internal sealed record EnvoyFlag(
    string Name, string? ShortName, string? ValueName, string Help, Action<EnvoyOptions, string> Apply, bool IsMultiple = false);
