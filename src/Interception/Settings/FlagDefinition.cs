namespace MeshProxy.Interception.Settings;

/// <summary>
/// One flag: its name without dashes, an optional letter, whether it takes no value, and environment variables that
/// give its default: the name in capitals with underscores, and <see cref="OtherEnvironment"/>.
/// </summary>
public sealed record FlagDefinition(
    string Name,
    string Help,
    char? Letter = null,
    bool Boolean = false,
    string? OtherEnvironment = null,
    bool FromEnvironment = true,
    string? Alias = null)
{
    /// <summary>The word is this flag, long or short.</summary>
    public bool IsCalled(string word) => word == $"--{Name}" || (Letter is { } letter && word == $"-{letter}");

    public string EnvironmentName => Name.ToUpperInvariant().Replace('-', '_');
}
