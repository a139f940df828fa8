using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshProxy.Bench.Load;

/// <summary>One start of the proxy as an injected pod starts it, with mounted certificates.</summary>
internal static class PodProbe
{
    /// <summary>Starts it and waits until its readiness port answers 200.</summary>
    /// <param name="discovery">HOST:PORT of what stands in istiod's place, without TLS.</param>
    /// <returns>Milliseconds since exec.</returns>
    /// <exception cref="BenchException">It ended or was not ready in time.</exception>
    public static double Run(Workshop workshop, string discovery, TimeSpan limit)
    {
        var folder = workshop.Folder("ready/pod");
        MountCertificates(Path.Combine(folder, "etc/certs"));
        var (ready, status, admin, metrics) = (Peer.FreePort(), Peer.FreePort(), Peer.FreePort(), Peer.FreePort());
        var config = $$"""
            {"discoveryAddress":"{{discovery}}","controlPlaneAuthPolicy":"NONE","statusPort":{{status}},"proxyAdminPort":{{admin}},"concurrency":2,"terminationDrainDuration":"0s"}
            """;
        var started = TimeProvider.System.GetTimestamp();
        using var pod = Command.Start("env",
            [
                "-C", folder, "POD_NAME=productpage-v1-abcde", "POD_NAMESPACE=default", "INSTANCE_IP=127.0.0.1",
                "SERVICE_ACCOUNT=bookinfo-productpage", $"PROXY_CONFIG={config}", $"ENVOY_STATUS_PORT={ready}",
                $"ENVOY_PROMETHEUS_PORT={metrics}", workshop.Executable, "proxy", "sidecar",
                "--domain", "default.svc.cluster.local", "--proxyLogLevel=warning", "--proxyComponentLogLevel=misc:error",
            ],
            Path.Combine(folder, "pod.log"));
        return ReadyProbe.Wait(
            ready, "/healthz/ready", "the pod", () => pod.HasExited ? pod.LastLine() : null, started, limit);
    }

    private static void MountCertificates(string folder)
    {
        if (File.Exists(Path.Combine(folder, "key.pem"))) return;
        Directory.CreateDirectory(folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=bench", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Path.Combine(folder, "cert-chain.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "root-cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }
}
