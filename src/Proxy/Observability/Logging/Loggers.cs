using MeshProxy.Xds.Bootstrap;

namespace MeshProxy.Proxy.Observability.Logging;

/// <summary>All loggers of the process, by Envoy's component names, so that --component-log-level and /logging work as there.</summary>
public sealed class Loggers
{
    /// <summary>Envoy's logger ids (Logger::Id), in its order.</summary>
    private static readonly string[] Names =
    [
        "admin", "alternate_protocols_cache", "aws", "assert", "backtrace", "basic_auth", "cache_filter", "client", "config",
        "conn_handler", "connection", "compression", "credential_injector", "decompression", "dns", "dubbo", "dynamic_modules",
        "envoy_bug", "ext_authz", "ext_proc", "file", "filter", "forward_proxy", "golang", "grpc", "happy_eyeballs", "hc",
        "health_checker", "http", "http2", "hystrix", "init", "io", "jwt", "kafka", "key_value_store", "lua", "main", "matcher",
        "misc", "mongo", "multi_connection", "notification", "oauth2", "pool", "quic", "quic_stream", "rate_limit_quota",
        "rbac", "rds", "redis", "reverse_tunnel", "router", "runtime", "secret", "stats", "stats_sinks", "tap", "testing",
        "thrift", "tracing", "udp", "upstream", "wasm", "websocket", "xds",
    ];

    private readonly Dictionary<string, Logger> _loggers = new(StringComparer.Ordinal);

    public Loggers(LogSink sink, LogLevel level, IReadOnlyDictionary<string, LogLevel> components)
    {
        foreach (var name in Names)
        {
            _loggers[name] = new Logger(name, sink) { Level = components.GetValueOrDefault(name, level) };
        }
    }

    public IEnumerable<Logger> All => _loggers.Values;

    public Logger Main => _loggers["main"];

    public Logger Config => _loggers["config"];

    public Logger? Find(string name) => _loggers.GetValueOrDefault(name);

    public void SetAll(LogLevel level)
    {
        foreach (var logger in _loggers.Values)
        {
            logger.Level = level;
        }
    }
}
