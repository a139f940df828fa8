using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A share of events, with a runtime key that may override it (core.v3.RuntimeFractionalPercent).</summary>
public sealed class FractionalPercent
{
    private readonly IRuntime _runtime;
    private readonly string _key;
    private readonly uint _numerator;
    private readonly uint _denominator;

    public FractionalPercent(Envoy.Config.Core.V3.RuntimeFractionalPercent config, IRuntime runtime)
        : this(config.DefaultValue, config.RuntimeKey, runtime)
    {
    }

    public FractionalPercent(Envoy.Type.V3.FractionalPercent? share, string runtimeKey, IRuntime runtime)
    {
        _runtime = runtime;
        _key = runtimeKey;
        _numerator = share?.Numerator ?? 0;
        _denominator = share?.Denominator switch
        {
            Envoy.Type.V3.FractionalPercent.DenominatorType.TenThousand => 10_000,
            Envoy.Type.V3.FractionalPercent.DenominatorType.Million => 1_000_000,
            _ => 100,
        };
    }

    private FractionalPercent(uint tenThousandths, string runtimeKey, IRuntime runtime)
    {
        _runtime = runtime;
        _key = runtimeKey;
        _numerator = tenThousandths;
        _denominator = 10_000;
    }

    public static FractionalPercent Of(uint tenThousandths, string runtimeKey, IRuntime runtime) =>
        new(tenThousandths, runtimeKey, runtime);

    public bool Takes(ulong random) => _key.Length == 0
        ? random % _denominator < _numerator
        : _runtime.FeatureEnabled(_key, _numerator, _denominator, random);
}
