using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.WellKnownTypes;
using Istio.V1.Auth;
using MeshProxy.Agent.Configuration;
using MeshProxy.Agent.Discovery;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Agent.Security;

/// <summary>Credentials of istiod's authority, asked for with the pod's token and renewed in time.</summary>
internal sealed class IssuedCredentials(
    IstiodConnection authority, AgentEnvironment environment, TimeProvider time, Action<string> log)
{
    private const string Method = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

    // SECRET_TTL, with Istio's default.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(24);

    // An authority that does not answer at all is asked anew, perhaps over another connection.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TimeSpan _lifetime = environment.Duration("SECRET_TTL", DefaultLifetime);
    private readonly RenewalSchedule _schedule = new(environment, Random.Shared.NextDouble);

    /// <summary>Gets credentials and renews them until it is told to stop.</summary>
    public async Task RunAsync(Action<WorkloadCredentials> take, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                var credentials = await AskAsync(stop).ConfigureAwait(false);
                wait = _schedule.UntilRenewal(time.GetUtcNow(), credentials.Expiry());
                take(credentials);
            }
            catch (Exception e) when (IsFailure(e))
            {
                // Whatever fails while it is told to stop is nobody's concern any more.
                if (stop.IsCancellationRequested)
                    return;
                // What was issued before serves on.
                wait = _schedule.UntilRetry();
                log($"The authority at {authority.Address} issued no certificate: {Reason(e)}.");
            }
            await Task.Delay(wait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static bool IsFailure(Exception e) => e is HttpRequestException or IOException or UnauthorizedAccessException
        or ProtobufException or CryptographicException or OperationCanceledException;

    private static string Reason(Exception e) => e is OperationCanceledException
        ? $"it did not answer within {Patience.TotalSeconds} s"
        : (e.InnerException ?? e).Message.TrimEnd('.');

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
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        var response = await GrpcClient.CallAsync<IstioCertificateResponse>(
            authority.Client, new Uri(authority.Base, Method), request.Message,
            headers =>
            {
                foreach (var (name, value) in authority.Headers())
                    headers.TryAddWithoutValidation(name, value);
            },
            limit.Token).ConfigureAwait(false);
        if (response.CertChain.Count < 2)
            throw new HttpRequestException("the answer has no root beside the certificate");
        var chain = string.Concat(response.CertChain.Select(pem => pem.TrimEnd('\n') + "\n"));
        var keyPem = key.ExportPkcs8PrivateKeyPem() + "\n";
        // A certificate of another key must not take the place of one that works.
        X509Certificate2.CreateFromPem(chain, keyPem).Dispose();
        return new WorkloadCredentials(chain, keyPem, response.CertChain[^1]);
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
}
