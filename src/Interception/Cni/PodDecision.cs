namespace MeshProxy.Interception.Cni;

/// <summary>
/// Whether a pod is to be intercepted, and with which flags and environment of `init`; or why not.
/// </summary>
internal sealed record PodDecision(
    string? SkipReason, IReadOnlyDictionary<string, string> Flags, IReadOnlyDictionary<string, string> Environment)
{
    private static readonly Dictionary<string, string> Nothing = [];

    public static PodDecision Skip(string reason) => new(reason, Nothing, Nothing);
}
