using Xunit;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>A test that chains our plugin after the reference plugins (Debian: containernetworking-plugins).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CniRootFactAttribute : FactAttribute
{
    public CniRootFactAttribute() =>
        Skip =
            Requirements.Missing
                ?? (File.Exists($"{ContainerRuntime.Plugins}/bridge") ? null : "needs the reference CNI plugins");
}
