using System.Text;
using MeshProxy.Proxy.Http.Router;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Makes the stream's filters.</summary>
internal sealed partial class ActiveStream
{
    private Decorator? _decorator;
    private TraceReason _traceReason;
    private bool _reachedTracing;

    public void CreateFilterChain()
    {
        if (!_chainCreated)
        {
            CreateChain();
        }
    }

    // False when the request asks for an upgrade that is not allowed: the plain chain is made for the refusal.
    private bool CreateChain()
    {
        if (_chainCreated)
        {
            return true;
        }
        _chainCreated = true;
        if (UpgradeType() is not { } upgrade)
        {
            Build(_config.Filters);
            return true;
        }
        if (UpgradeFilters(upgrade) is { } filters)
        {
            Build(filters);
            _upgraded = true;
            _stats.Inc(HttpManagerStat.DownstreamCxUpgradesTotal);
            _stats.Inc(HttpManagerStat.DownstreamCxUpgradesActive);
            return true;
        }
        Build(_config.Filters);
        return false;
    }

    private string? UpgradeType()
    {
        if (RequestHeaders is not { } headers)
        {
            return null;
        }
        if (HeaderTokens.IsUpgrade(headers))
        {
            return Encoding.Latin1.GetString(headers.Get(KnownHeader.Upgrade));
        }
        return headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8) ? "CONNECT" : null;
    }

    // The route's word beats the manager's; null refuses.
    private IReadOnlyList<HttpFilterEntry>? UpgradeFilters(string type)
    {
        bool? route = _route?.Action?.Upgrades.TryGetValue(type, out var enabled) == true ? enabled : null;
        _config.Upgrades.TryGetValue(type, out var own);
        return route ?? own?.Enabled ?? false ? own?.Filters ?? _config.Filters : null;
    }

    private void Build(IReadOnlyList<HttpFilterEntry> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (_route?.FilterDisabled(entry.Name) ?? entry.Disabled)
            {
                continue;
            }
            Filters.BeginFilter(entry.Name);
            entry.Config.CreateFilter(Filters);
        }
        Filters.ChainComplete();
    }
}
