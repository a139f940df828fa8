using System.Collections.Immutable;

namespace MeshProxy.Interception.Settings;

/// <summary>Ports whose inbound connections are captured: every one (<c>*</c>), the listed ones, or none.</summary>
public sealed record InboundPorts(bool All, ImmutableArray<int> Ports)
{
    public static readonly InboundPorts None = new(false, []);

    public bool IsEmpty => !All && Ports.IsEmpty;
}
