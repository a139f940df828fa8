using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using MeshProxy.ControlPlane.Discovery;

namespace MeshProxy.ControlPlane.Monitoring;

/// <summary>What the control plane counts, under istiod's names, so that istiod's dashboards and alerts fit.</summary>
internal sealed class ControlPlaneMetrics
{
    // Seconds and bytes, as istiod has them.
    private static readonly double[] ConvergenceBounds = [0.1, 0.5, 1, 3, 5, 10, 20, 30];
    private static readonly double[] SizeBounds = [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000];

    private readonly ConcurrentDictionary<string, long> _pushes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _rejects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Distribution> _sizes = new(StringComparer.Ordinal);
    private readonly Distribution _convergence = new(ConvergenceBounds);
    private long _clients;
    private long _changes;
    private long _streamErrors;
    private long _folderErrors;
    private long _certificateRequests;
    private long _certificatesIssued;
    private long _certificatesRefused;
    private long _rootExpiry;

    public void ClientCame() => Interlocked.Increment(ref _clients);

    public void ClientWent() => Interlocked.Decrement(ref _clients);

    /// <summary>An answer was sent, asked for or not.</summary>
    public void CountPush(string typeUrl, int bytes)
    {
        var type = ShortName(typeUrl);
        Add(_pushes, type);
        _sizes.GetOrAdd(type, static _ => new Distribution(SizeBounds)).Observe(bytes);
    }

    public void CountReject(string typeUrl) => Add(_rejects, ShortName(typeUrl));

    /// <summary>Something that is served changed.</summary>
    public void CountChange() => Interlocked.Increment(ref _changes);

    /// <summary>A client has all of a change.</summary>
    public void Converged(TimeSpan after) => _convergence.Observe(after.TotalSeconds);

    /// <summary>A stream was ended for what the client said.</summary>
    public void CountStreamError() => Interlocked.Increment(ref _streamErrors);

    /// <summary>The folder could not be read.</summary>
    public void CountFolderError() => Interlocked.Increment(ref _folderErrors);

    /// <summary>A node asked for its certificate; <paramref name="issued"/>, a new one was made.</summary>
    public void CountCertificate(bool issued)
    {
        Interlocked.Increment(ref _certificateRequests);
        if (issued)
            Interlocked.Increment(ref _certificatesIssued);
    }

    /// <summary>A node asked for a certificate that it may not have.</summary>
    public void CountCertificateRefused()
    {
        Interlocked.Increment(ref _certificateRequests);
        Interlocked.Increment(ref _certificatesRefused);
    }

    public void SetRootExpiry(DateTimeOffset end) => Interlocked.Exchange(ref _rootExpiry, end.ToUnixTimeSeconds());

    /// <summary>Prometheus' text format 0.0.4.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        var version = typeof(ControlPlaneMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        One(text, "istio_build", "gauge", "Version of the control plane.", 1, $"component=\"pilot\",tag=\"{version?.Split('+')[0] ?? "unknown"}\"");
        One(text, "pilot_xds", "gauge", "Streams of proxies.", Interlocked.Read(ref _clients));
        ByType(text, "pilot_xds_pushes", "Answers sent.", _pushes);
        ByType(text, "pilot_total_xds_rejects", "Answers that proxies refused.", _rejects);
        foreach (var type in new[] { "cds", "eds", "lds", "rds" })
            One(text, $"pilot_xds_{type}_reject", "gauge", "Answers of the type that proxies refused.", _rejects.GetValueOrDefault(type));
        One(text, "pilot_push_triggers", "counter", "Changes of what is served.", Interlocked.Read(ref _changes), "type=\"config\"");
        One(text, "pilot_total_xds_internal_errors", "counter", "Streams ended for an error.", Interlocked.Read(ref _streamErrors));
        One(text, "pilot_xds_push_context_errors", "counter", "Failures to read the folder.", Interlocked.Read(ref _folderErrors));
        Header(text, "pilot_xds_config_size_bytes", "histogram", "Size of an answer.");
        foreach (var (type, sizes) in _sizes.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            sizes.Write(text, "pilot_xds_config_size_bytes", $"type=\"{type}\"");
        Header(text, "pilot_proxy_convergence_time", "histogram", "Seconds from a change to its last answer to a proxy.");
        _convergence.Write(text, "pilot_proxy_convergence_time", "");
        One(text, "citadel_server_csr_count", "counter", "Requests for certificates.", Interlocked.Read(ref _certificateRequests));
        One(text, "citadel_server_success_cert_issuance_count", "counter", "Certificates issued.", Interlocked.Read(ref _certificatesIssued));
        One(text, "citadel_server_csr_parsing_err_count", "counter", "Requests refused.", Interlocked.Read(ref _certificatesRefused));
        One(text, "citadel_server_root_cert_expiry_timestamp", "gauge", "End of the root certificate.", Interlocked.Read(ref _rootExpiry));
        WriteProcess(text);
        return text.ToString();
    }

    private static void WriteProcess(StringBuilder text)
    {
        using var process = Process.GetCurrentProcess();
        Header(text, "process_cpu_seconds_total", "counter", "Processor time.");
        text.Append(CultureInfo.InvariantCulture, $"process_cpu_seconds_total{{}} {process.TotalProcessorTime.TotalSeconds}\n");
        One(text, "process_resident_memory_bytes", "gauge", "Resident memory.", process.WorkingSet64);
        One(text, "process_virtual_memory_bytes", "gauge", "Virtual memory.", process.VirtualMemorySize64);
        One(text, "process_threads", "gauge", "Threads.", process.Threads.Count);
        One(text, "process_start_time_seconds", "gauge", "When it began.", new DateTimeOffset(process.StartTime).ToUnixTimeSeconds());
    }

    private static string ShortName(string typeUrl) =>
        typeUrl == ResourceTypes.Cluster ? "cds"
        : typeUrl == ResourceTypes.Endpoints ? "eds"
        : typeUrl == ResourceTypes.Listener ? "lds"
        : typeUrl == ResourceTypes.Routes ? "rds"
        : typeUrl == ResourceTypes.Secret ? "sds"
        // What a client asks for by itself must not make labels without end.
        : "other";

    private static void Add(ConcurrentDictionary<string, long> counts, string type) =>
        counts.AddOrUpdate(type, 1, static (_, count) => count + 1);

    private static void ByType(StringBuilder text, string name, string help, ConcurrentDictionary<string, long> counts)
    {
        Header(text, name, "counter", help);
        foreach (var (type, count) in counts.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"{name}{{type=\"{type}\"}} {count}\n");
    }

    private static void One(StringBuilder text, string name, string type, string help, long value, string labels = "")
    {
        Header(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {value}\n");
    }

    private static void Header(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
}
