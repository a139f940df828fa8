using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.WellKnownTypes;
using Istio.V1.Auth;
using MeshProxy.Agent.Configuration;
using MeshProxy.Agent.Discovery;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Agent.Security;

/// <summary>Credentials of istiod's authority, asked for with the pod's token and renewed in time.</summary>
internal sealed class IssuedCredentials(IstiodConnection authority, AgentEnvironment environment, Action<string> log)
{
    private const string Method = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

    // Istio's names and defaults (security/options.go): SECRET_TTL, SECRET_GRACE_PERIOD_RATIO and its jitter.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(24);
    private const double RenewalRatio = 0.5;
    private const double RenewalJitter = 0.01;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly TimeSpan _lifetime = environment.Duration("SECRET_TTL", DefaultLifetime);

    /// <summary>Gets credentials and renews them until it is told to stop.</summary>
    public async Task RunAsync(Action<WorkloadCredentials> take, CancellationToken stop)
    {
        var retry = FirstRetry;
        while (!stop.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                var credentials = await AskAsync(stop).ConfigureAwait(false);
                take(credentials);
                (wait, retry) = (UntilRenewal(credentials), FirstRetry);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ProtobufException or CryptographicException)
            {
                // What was issued before serves on.
                log($"The authority at {authority.Base.Authority} issued no certificate: {(e.InnerException ?? e).Message.TrimEnd('.')}.");
                (wait, retry) = (retry, retry * 2 < LongestRetry ? retry * 2 : LongestRetry);
            }
            await Task.Delay(wait, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<WorkloadCredentials> AskAsync(CancellationToken stop)
    {
        using var key = Key();
        var request = IstioCertificateRequest.New();
        request.Csr = SigningRequest(key);
        request.ValidityDuration = (long)_lifetime.TotalSeconds;
        var signer = Value.New();
        signer.StringValue = environment.Text("ISTIO_META_CERT_SIGNER");
        var metadata = Struct.New();
        metadata.Fields.Set("CertSigner", signer);
        request.Metadata = metadata;
        var response = await GrpcClient.CallAsync<IstioCertificateResponse>(
            authority.Client, new Uri(authority.Base, Method), request.Message,
            headers =>
            {
                foreach (var (name, value) in authority.Headers())
                    headers.TryAddWithoutValidation(name, value);
            },
            stop).ConfigureAwait(false);
        if (response.CertChain.Count < 2)
            throw new HttpRequestException("the answer has no root beside the certificate");
        var chain = string.Concat(response.CertChain.Select(pem => pem.TrimEnd('\n') + "\n"));
        return new WorkloadCredentials(chain, key.ExportPkcs8PrivateKeyPem() + "\n", response.CertChain[^1]);
    }

    // RSA 2048 unless told otherwise, as pilot-agent.
    private AsymmetricAlgorithm Key() => environment.Text("ECC_SIGNATURE_ALGORITHM") == "ECDSA"
        ? ECDsa.Create(environment.Text("ECC_CURVE") == "P384" ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP256)
        : RSA.Create(Math.Max(2048, environment.Number("WORKLOAD_RSA_KEY_SIZE", 2048)));

    private string SigningRequest(AsymmetricAlgorithm key)
    {
        var subject = new X500DistinguishedName("O=");
        var request = key is ECDsa curve
            ? new CertificateRequest(subject, curve, HashAlgorithmName.SHA256)
            : new CertificateRequest(subject, (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var identity = new SubjectAlternativeNameBuilder();
        identity.AddUri(new Uri(
            $"spiffe://{environment.Text("TRUST_DOMAIN", "cluster.local")}/ns/{environment.Text("POD_NAMESPACE", "default")}/sa/{environment.Text("SERVICE_ACCOUNT", "default")}"));
        request.CertificateExtensions.Add(identity.Build(critical: true));
        return request.CreateSigningRequestPem();
    }

    private static TimeSpan UntilRenewal(WorkloadCredentials credentials)
    {
        using var leaf = X509Certificate2.CreateFromPem(credentials.ChainPem);
        var (begin, end) = (leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
        // Not all pods of a rollout in the same second.
        var ratio = RenewalRatio + (((Random.Shared.NextDouble() * 2) - 1) * RenewalJitter);
        var wait = end - ((end - begin) * ratio) - DateTime.UtcNow;
        return wait > FirstRetry ? (wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1)) : FirstRetry;
    }
}
