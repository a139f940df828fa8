using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace MeshProxy.Injection.Webhook;

/// <summary>The injector's counters, under the names that istiod's dashboards know.</summary>
internal sealed class WebhookMetrics
{
    // Seconds. An answer takes milliseconds; the API server gives up after ten seconds by default.
    private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

    private readonly long[] _buckets = new long[Bounds.Length + 1];
    private long _requests;
    private long _injected;
    private long _failed;
    private long _skipped;
    private long _elapsedTicks;
    private long _patches;
    private long _patchFailures;
    private long _certificateExpiry;

    public void CountRequest() => Interlocked.Increment(ref _requests);

    public void CountInjected() => Interlocked.Increment(ref _injected);

    public void CountFailed() => Interlocked.Increment(ref _failed);

    public void CountSkipped() => Interlocked.Increment(ref _skipped);

    public void CountPatch(bool succeeded) => Interlocked.Increment(ref succeeded ? ref _patches : ref _patchFailures);

    public void SetCertificateExpiry(DateTimeOffset end) =>
        Interlocked.Exchange(ref _certificateExpiry, end.ToUnixTimeSeconds());

    public void Observe(TimeSpan elapsed)
    {
        var bucket = 0;
        while (bucket < Bounds.Length && elapsed.TotalSeconds > Bounds[bucket])
            bucket++;
        Interlocked.Increment(ref _buckets[bucket]);
        Interlocked.Add(ref _elapsedTicks, elapsed.Ticks);
    }

    /// <summary>Prometheus' text format 0.0.4.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        Counter(text, "sidecar_injection_requests_total", "Requests for injection.", _requests);
        Counter(text, "sidecar_injection_success_total", "Pods that got a proxy.", _injected);
        Counter(text, "sidecar_injection_failure_total", "Pods that were refused.", _failed);
        Counter(text, "sidecar_injection_skip_total", "Pods that were let through as they are.", _skipped);
        Counter(text, "webhook_patch_attempts_total", "Certificates written into the webhook configuration.", _patches);
        Counter(text, "webhook_patch_failures_total", "Failed writes into the webhook configuration.", _patchFailures);
        text.Append("# HELP webhook_certificate_expiry_timestamp_seconds End of the serving certificate.\n"
            + "# TYPE webhook_certificate_expiry_timestamp_seconds gauge\n"
            + $"webhook_certificate_expiry_timestamp_seconds {Interlocked.Read(ref _certificateExpiry)}\n");
        Histogram(text);
        text.Append("# HELP process_resident_memory_bytes Resident memory.\n# TYPE process_resident_memory_bytes gauge\n"
            + $"process_resident_memory_bytes {Process.GetCurrentProcess().WorkingSet64}\n");
        return text.ToString();
    }

    private void Histogram(StringBuilder text)
    {
        const string Name = "sidecar_injection_time_seconds";
        text.Append($"# HELP {Name} Time of one injection.\n# TYPE {Name} histogram\n");
        var sum = 0L;
        for (var k = 0; k <= Bounds.Length; k++)
        {
            sum += Interlocked.Read(ref _buckets[k]);
            var bound = k < Bounds.Length ? Bounds[k].ToString(CultureInfo.InvariantCulture) : "+Inf";
            text.Append($"{Name}_bucket{{le=\"{bound}\"}} {sum}\n");
        }
        var seconds = TimeSpan.FromTicks(Interlocked.Read(ref _elapsedTicks)).TotalSeconds;
        text.Append($"{Name}_sum {seconds.ToString(CultureInfo.InvariantCulture)}\n{Name}_count {sum}\n");
    }

    private static void Counter(StringBuilder text, string name, string help, long value) =>
        text.Append($"# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n");
}
