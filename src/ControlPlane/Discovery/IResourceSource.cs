using Envoy.Config.Core.V3;
using MeshProxy.ControlPlane.Resources;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>What a server of discovery serves.</summary>
internal interface IResourceSource
{
    /// <summary>Raised after a change, on any thread.</summary>
    event Action? Changed;

    /// <summary>What a node gets of a type.</summary>
    /// <param name="node">The node.</param>
    /// <param name="proven">The identity that the connection proved, or null where none has to be proven.</param>
    /// <param name="typeUrl">The type.</param>
    ResourceSet Resources(Node node, string? proven, string typeUrl);
}
