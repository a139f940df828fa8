using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>A core.v3.RuntimeFeatureFlag; on when nothing is configured.</summary>
internal sealed class RuntimeSwitch(Envoy.Config.Core.V3.RuntimeFeatureFlag? config, IRuntime runtime)
{
    private readonly bool _default = config is not { } given || (given.DefaultValue ?? true);
    private readonly string _key = config?.RuntimeKey ?? "";

    public bool IsOn => _key.Length == 0 ? _default : runtime.GetBoolean(_key, _default);
}
