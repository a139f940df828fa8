using Envoy.Config.Core.V3;

namespace MeshProxy.Proxy.Configuration;

/// <summary>core.v3.RuntimeFeatureFlag compiled: on by default when the field is absent.</summary>
public sealed class RuntimeFlag(IRuntime runtime, string key, bool defaultValue)
{
    private long _generation = -1;
    private bool _value;

    public bool Enabled
    {
        get
        {
            var generation = runtime.Generation;
            if (Volatile.Read(ref _generation) != generation)
            {
                _value = key.Length == 0 ? defaultValue : runtime.GetBoolean(key, defaultValue);
                Volatile.Write(ref _generation, generation);
            }
            return _value;
        }
    }

    public static RuntimeFlag Compile(RuntimeFeatureFlag? flag, IRuntime runtime) =>
        new(runtime, flag?.RuntimeKey ?? "", flag?.DefaultValue ?? true);
}
