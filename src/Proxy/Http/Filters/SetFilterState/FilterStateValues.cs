using System.Buffers;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Common.SetFilterState.V3.FilterStateValue;

namespace MeshProxy.Proxy.Http.Filters.SetFilterState;

/// <summary>Compiled set_filter_state values, for HTTP and network filters.</summary>
internal sealed class FilterStateValues
{
    /// <summary>Keys whose objects can be made of a text; others need factory_key.</summary>
    private static readonly HashSet<string> Factories = new(StringComparer.Ordinal)
    {
        "envoy.string", "envoy.hashable_string", "envoy.network.upstream_server_name", "envoy.network.upstream_subject_alt_names",
        "envoy.network.application_protocols", "envoy.tcp_proxy.cluster", "envoy.tcp_proxy.disable_tunneling",
        "envoy.tcp_proxy.per_connection_idle_timeout_ms", "envoy.network.transport_socket.original_dst_address",
        "envoy.filters.listener.original_dst.local_ip", "envoy.filters.listener.original_dst.remote_ip",
        "envoy.network.ip", "envoy.network.network_namespace", "envoy.upstream.dynamic_host", "envoy.upstream.dynamic_port",
        "envoy.ratelimit.hits_addend", "envoy.tls.cert_validator.spiffe", "envoy.stateful_session.override_host",
        "io.istio.peer_principal", "io.istio.local_principal", "filter_state.peer", "wasm.upstream_peer", "wasm.downstream_peer",
    };

    private readonly Entry[] _entries;

    private FilterStateValues(Entry[] entries) => _entries = entries;

    private sealed record Entry(string Key, IFormatter Format, bool ReadOnly, bool Shared, bool SkipIfEmpty);

    public static FilterStateValues Compile(IReadOnlyList<Config> configs, string field)
    {
        var entries = new Entry[configs.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            var config = configs[i];
            var factory = config.FactoryKey.Length > 0 ? config.FactoryKey : config.ObjectKey;
            if (!Factories.Contains(factory))
            {
                throw new ConfigurationException($"{field}[{i}]: '{factory}' does not have an object factory; set factory_key, for example envoy.string.");
            }
            entries[i] = new Entry(config.ObjectKey, FormatOf(config, $"{field}[{i}].format_string"), config.ReadOnly,
                config.SharedWithUpstreamValue != Config.SharedWithUpstream.None, config.SkipIfEmpty);
        }
        return new FilterStateValues(entries);
    }

    public void Apply(in LogContext context, FilterState state, FilterStateLifeSpan lifeSpan)
    {
        foreach (var entry in _entries)
        {
            var output = new ArrayBufferWriter<byte>();
            entry.Format.Format(context, output);
            var text = Encoding.UTF8.GetString(output.WrittenSpan);
            if (text.Length > 0 || !entry.SkipIfEmpty)
            {
                state.Set(entry.Key, new StringFilterState(text), lifeSpan, entry.Shared, entry.ReadOnly);
            }
        }
    }

    private static IFormatter FormatOf(Config config, string field)
    {
        if (config.FormatString is not { } format)
        {
            throw new ConfigurationException($"{field}: is missing; set it.");
        }
        var text = format.TextFormatSource is { } source
            ? Encoding.UTF8.GetString(DataSource.Read(source, uint.MaxValue, field))
            : format.TextFormat;
        return SubstitutionFormat.Compile(text, format.OmitEmptyValues);
    }
}
