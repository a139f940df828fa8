using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Configuration.Runtime;

/// <summary>Indices of the statistics under `runtime.`.</summary>
internal static class RuntimeStat
{
    public const int LoadError = 0;
    public const int LoadSuccess = 1;
    public const int OverrideDirExists = 2;
    public const int OverrideDirNotExists = 3;
    public const int DeprecatedFeatureUse = 4;
    public const int DeprecatedFeatureSeenSinceProcessStart = 5;
    public const int AdminOverridesActive = 6;
    public const int NumKeys = 7;
    public const int NumLayers = 8;

    public static readonly StatBlockLayout Layout = new(
    [
        ("load_error", StatKind.Counter),
        ("load_success", StatKind.Counter),
        ("override_dir_exists", StatKind.Counter),
        ("override_dir_not_exists", StatKind.Counter),
        ("deprecated_feature_use", StatKind.Counter),
        ("deprecated_feature_seen_since_process_start", StatKind.Gauge),
        ("admin_overrides_active", StatKind.Gauge),
        ("num_keys", StatKind.Gauge),
        ("num_layers", StatKind.Gauge),
    ]);
}
