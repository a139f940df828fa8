using MeshProxy.Interception.Host;
using MeshProxy.Interception.Iptables;
using MeshProxy.Interception.Nftables;
using MeshProxy.Interception.Rules;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception;

/// <summary>
/// Interception of the pod in whose network namespace the calling thread is: sets it up, takes it away, looks at it.
/// </summary>
public sealed class Interceptor
{
    private readonly InterceptionSettings _settings;
    private readonly PodNetwork _network;
    private readonly PolicyRouting _routing;
    private readonly IRuleEngine _engine;
    private readonly IRuleEngine _other;
    private readonly RuleSet _rules;

    public Interceptor(InterceptionSettings settings, PodNetwork network, ICommandRunner runner, Action<string> note)
    {
        _settings = settings;
        _network = network;
        _routing = new PolicyRouting(settings, runner);
        IRuleEngine nft = new NftEngine(runner, settings.CniMode);
        IRuleEngine iptables = new IptablesEngine(settings, network, runner, note);
        (_engine, _other) = settings.NativeNftables ? (nft, iptables) : (iptables, nft);
        _rules = RulePlanner.Plan(settings, network);
    }

    /// <summary>What <see cref="Apply"/>, or with cleanup <see cref="Remove"/>, would load.</summary>
    public string Show() => _settings.CleanupOnly ? _engine.ShowRemoval(_rules) : _engine.Show(_rules);

    /// <exception cref="InterceptionException">Something refused; rules that were loaded for it are taken
    /// back.</exception>
    public void Apply()
    {
        if (OtherIsInForce() && !_settings.Reconcile)
            throw new InterceptionException(
                $"Interception rules of {(_settings.NativeNftables ? "iptables" : "nft")} are in force and would "
                + $"redirect a second time: "
                + "give --reconcile to replace them, or --cleanup-only to remove them.");
        if (OtherIsInForce())
            _other.Remove(_rules);
        _engine.Apply(_rules);
        _routing.Apply(_network.IPv6);
    }

    public void Remove()
    {
        _engine.Remove(_rules);
        if (OtherIsInForce())
            _other.Remove(_rules);
        _routing.Remove();
    }

    /// <summary>Rules in force as text that is the same as long as they are; empty if there are none.</summary>
    public string Snapshot() => _engine.Snapshot();

    // Without the other tool there are no rules of it.
    private bool OtherIsInForce()
    {
        try
        {
            return _other.Snapshot().Length > 0;
        }
        catch (InterceptionException)
        {
            return false;
        }
    }
}
