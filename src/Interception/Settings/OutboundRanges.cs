using System.Collections.Immutable;

namespace MeshProxy.Interception.Settings;

/// <summary>
/// Destinations whose connections are captured: every one (<c>*</c>), or the listed ranges of either family.
/// </summary>
public sealed record OutboundRanges(bool All, ImmutableArray<AddressRange> Ranges)
{
    public static readonly OutboundRanges None = new(false, []);

    public bool HasLoopback => Ranges.Any(r => r.IsLoopback);
}
