using System.Buffers;
using System.Globalization;
using System.Text.Json;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>One JSON line an ejection or return (data.cluster.v3.OutlierDetectionEvent).</summary>
internal sealed class OutlierEventLog(IAccessLogFile file, string cluster)
{
    // Names of OutlierEjectionType in the order of EjectionType.
    private static readonly string[] TypeNames =
    [
        "CONSECUTIVE_5XX",
        "CONSECUTIVE_GATEWAY_FAILURE",
        "SUCCESS_RATE",
        "CONSECUTIVE_LOCAL_ORIGIN_FAILURE",
        "SUCCESS_RATE_LOCAL_ORIGIN",
        "FAILURE_PERCENTAGE",
        "FAILURE_PERCENTAGE_LOCAL_ORIGIN",
    ];

    public void LogEject(
        HostImpl host, OutlierMonitor monitor, EjectionType type, bool enforced, OutlierDetector detector, long now)
    {
        var lastAction = monitor.LastUneject;
        Write(host, monitor, TypeNames[(int)type], "EJECT", enforced, lastAction is { } last ? (now - last) / 1000 : null, json =>
        {
            switch (type)
            {
                case EjectionType.SuccessRate or EjectionType.SuccessRateLocalOrigin:
                    var local = type == EjectionType.SuccessRateLocalOrigin;
                    json.WriteStartObject("eject_success_rate_event");
                    json.WriteNumber("host_success_rate", (uint)(local ? monitor.LocalOrigin : monitor.External).SuccessRate);
                    json.WriteNumber("cluster_average_success_rate", (uint)Math.Max(0, local ? detector.LocalOriginAverage : detector.SuccessRateAverage));
                    json.WriteNumber("cluster_success_rate_ejection_threshold", (uint)Math.Max(0, local ? detector.LocalOriginThreshold : detector.SuccessRateThreshold));
                    break;
                case EjectionType.FailurePercentage or EjectionType.FailurePercentageLocalOrigin:
                    json.WriteStartObject("eject_failure_percentage_event");
                    json.WriteNumber("host_success_rate", (uint)(type == EjectionType.FailurePercentage ? monitor.External : monitor.LocalOrigin).SuccessRate);
                    break;
                default:
                    json.WriteStartObject("eject_consecutive_event");
                    break;
            }
            json.WriteEndObject();
        });
    }

    public void LogUneject(HostImpl host, OutlierMonitor monitor, long now) =>
        Write(host, monitor, TypeNames[0], "UNEJECT", false, (now - monitor.LastEjection) / 1000, null);

    private void Write(
        HostImpl host, OutlierMonitor monitor, string type, string action, bool enforced, long? secondsSinceLast, Action<Utf8JsonWriter>? details)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("timestamp", DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            if (secondsSinceLast is { } seconds)
            {
                json.WriteString("secs_since_last_action", seconds.ToString(CultureInfo.InvariantCulture));
            }
            json.WriteString("cluster_name", cluster);
            json.WriteString("upstream_url", host.AddressText);
            json.WriteString("action", action);
            json.WriteNumber("num_ejections", monitor.NumEjections);
            json.WriteBoolean("enforced", enforced);
            details?.Invoke(json);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        file.Write(buffer.WrittenSpan);
    }
}
