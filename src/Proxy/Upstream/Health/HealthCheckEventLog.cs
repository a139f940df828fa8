using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Envoy.Config.Core.V3;
using Envoy.Extensions.HealthCheck.EventSinks.File.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>One JSON line an event of active checks (data.core.v3.HealthCheckEvent).</summary>
internal sealed class HealthCheckEventLog(IReadOnlyList<IAccessLogFile> files, string kind, string cluster)
{
    /// <summary>Null when nothing is to be logged.</summary>
    public static HealthCheckEventLog? Compile(HealthCheck config, string kind, string cluster, ClusterEnvironment environment)
    {
        var files = new List<IAccessLogFile>();
        if (config.EventLogPath.Length > 0)
        {
            files.Add(environment.AccessLogs.Open(config.EventLogPath));
        }
        foreach (var sink in config.EventLogger)
        {
            if (sink.TypedConfig is not { } any || !any.TryUnpack<HealthCheckEventFileSink>(out var file))
            {
                throw new ConfigurationException(
                    $"Didn't find a registered implementation for name: '{sink.Name}' in event_logger of cluster {cluster}; the file sink is known.");
            }
            files.Add(environment.AccessLogs.Open(file.EventLogPath));
        }
        return files.Count == 0 ? null : new HealthCheckEventLog(files, kind, cluster);
    }

    public void AddHealthy(HostImpl host, bool firstCheck) => Write(host, json =>
    {
        json.WriteStartObject("add_healthy_event");
        json.WriteBoolean("first_check", firstCheck);
        json.WriteEndObject();
    });

    public void Success(HostImpl host) => Write(host, static json => WriteEmpty(json, "successful_health_check_event"));

    public void EjectUnhealthy(HostImpl host, HealthCheckFailure failure, int status) => Write(host, json =>
    {
        json.WriteStartObject("eject_unhealthy_event");
        json.WriteString("failure_type", NameOf(failure));
        WriteStatus(json, status);
        json.WriteEndObject();
    });

    public void Failure(HostImpl host, HealthCheckFailure failure, int status, bool firstCheck) => Write(host, json =>
    {
        json.WriteStartObject("health_check_failure_event");
        json.WriteString("failure_type", NameOf(failure));
        json.WriteBoolean("first_check", firstCheck);
        WriteStatus(json, status);
        json.WriteEndObject();
    });

    public void Degraded(HostImpl host) => Write(host, static json => WriteEmpty(json, "degraded_healthy_host"));

    public void NoLongerDegraded(HostImpl host) => Write(host, static json => WriteEmpty(json, "no_longer_degraded_host"));

    private static string NameOf(HealthCheckFailure failure) => failure switch
    {
        HealthCheckFailure.Passive => "PASSIVE",
        HealthCheckFailure.Network => "NETWORK",
        HealthCheckFailure.NetworkTimeout => "NETWORK_TIMEOUT",
        _ => "ACTIVE",
    };

    private static void WriteStatus(Utf8JsonWriter json, int status)
    {
        if (status != 0)
        {
            json.WriteNumber("http_status_code", status);
        }
    }

    private static void WriteEmpty(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteEndObject();
    }

    private void Write(HostImpl host, Action<Utf8JsonWriter> details)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("health_checker_type", kind);
            WriteHost(json, host.Address);
            json.WriteString("cluster_name", cluster);
            details(json);
            json.WriteString("timestamp", DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            WriteLocality(json, host.Locality);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        foreach (var file in files)
        {
            file.Write(buffer.WrittenSpan);
        }
    }

    private static void WriteHost(Utf8JsonWriter json, EndPoint address)
    {
        json.WriteStartObject("host");
        if (address is IPEndPoint ip)
        {
            json.WriteStartObject("socket_address");
            json.WriteString("protocol", "TCP");
            json.WriteString("address", ip.Address.ToString());
            json.WriteNumber("port_value", ip.Port);
            json.WriteString("resolver_name", "");
            json.WriteBoolean("ipv4_compat", false);
        }
        else
        {
            json.WriteStartObject("pipe");
            json.WriteString("path", Addresses.Format(address));
            json.WriteNumber("mode", 0);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteLocality(Utf8JsonWriter json, Locality locality)
    {
        json.WriteStartObject("locality");
        json.WriteString("region", locality.Region);
        json.WriteString("zone", locality.Zone);
        json.WriteString("sub_zone", locality.SubZone);
        json.WriteEndObject();
    }
}
