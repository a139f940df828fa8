using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Webhook;

/// <summary>
/// The few calls to the Kubernetes API that the webhook makes, on trees. The official client would bring types for the
/// whole API, several times the size of this executable, for five kinds of objects.
/// </summary>
internal sealed class KubernetesApi : IDisposable
{
    public const string Merge = "application/merge-patch+json";
    public const string Apply = "application/apply-patch+yaml";

    private const string AccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    private readonly HttpClient _client;
    private readonly Func<string?> _token;

    /// <param name="address">The API server.</param>
    /// <param name="token">The bearer token, asked for at each request, because the kubelet renews it.</param>
    /// <param name="roots">Authorities of the server's certificate.</param>
    public KubernetesApi(Uri address, Func<string?> token, X509Certificate2Collection? roots)
    {
        _token = token;
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (roots is not null)
            handler.SslOptions.CertificateChainPolicy = Trust(roots);
        _client = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The API of the cluster that this process runs in, or null.</summary>
    public static KubernetesApi? InCluster()
    {
        var host = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST");
        var port = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port) || !File.Exists(AccountFolder + "/token"))
            return null;
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(AccountFolder + "/ca.crt");
        var name = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return new KubernetesApi(
            new Uri($"https://{name}:{port}"), () => File.ReadAllText(AccountFolder + "/token").Trim(), roots);
    }

    public void Dispose() => _client.Dispose();

    /// <returns>The object, or null if there is none.</returns>
    public Task<JsonObject?> GetAsync(string path, CancellationToken stop) => SendAsync(HttpMethod.Get, path, null, null, stop);

    /// <exception cref="KubernetesException">The server refuses; 409 if the object exists.</exception>
    public Task<JsonObject?> CreateAsync(string path, JsonNode body, CancellationToken stop) =>
        SendAsync(HttpMethod.Post, path, body, "application/json", stop);

    /// <exception cref="KubernetesException">The server refuses; 409 if another version is stored.</exception>
    public Task<JsonObject?> ReplaceAsync(string path, JsonNode body, CancellationToken stop) =>
        SendAsync(HttpMethod.Put, path, body, "application/json", stop);

    public Task<JsonObject?> PatchAsync(string path, JsonNode body, string contentType, CancellationToken stop) =>
        SendAsync(HttpMethod.Patch, path, body, contentType, stop);

    /// <summary>Events of a watch, until the server ends it.</summary>
    public async IAsyncEnumerable<JsonObject> WatchAsync(string path, [EnumeratorCancellation] CancellationToken stop)
    {
        using var request = Request(HttpMethod.Get, path, null, null);
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        await ThrowIfRefusedAsync(request, response, stop).ConfigureAwait(false);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false));
        while (await reader.ReadLineAsync(stop).ConfigureAwait(false) is { } line)
        {
            if (line.Length > 0 && JsonText.Parse(line) is JsonObject change)
                yield return change;
        }
    }

    private static X509ChainPolicy Trust(X509Certificate2Collection roots)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            // A cluster's authority publishes no revocation lists.
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }

    private async Task<JsonObject?> SendAsync(
        HttpMethod method, string path, JsonNode? body, string? contentType, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        // As kubectl's default for a single request is none, a stuck server would hold us for ever.
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        using var request = Request(method, path, body, contentType);
        using var response = await _client.SendAsync(request, limit.Token).ConfigureAwait(false);
        if (method == HttpMethod.Get && response.StatusCode == HttpStatusCode.NotFound)
            return null;
        await ThrowIfRefusedAsync(request, response, limit.Token).ConfigureAwait(false);
        return JsonText.Parse(await response.Content.ReadAsByteArrayAsync(limit.Token).ConfigureAwait(false)) as JsonObject;
    }

    private HttpRequestMessage Request(HttpMethod method, string path, JsonNode? body, string? contentType)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (_token() is { } token)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(JsonText.WriteUtf8(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType!);
        }
        return request;
    }

    private static async Task ThrowIfRefusedAsync(
        HttpRequestMessage request, HttpResponseMessage response, CancellationToken stop)
    {
        if (response.IsSuccessStatusCode)
            return;
        var said = JsonText.TryParse(await response.Content.ReadAsStringAsync(stop).ConfigureAwait(false)).Text("message");
        throw new KubernetesException(response.StatusCode,
            $"{request.Method} {request.RequestUri!.AbsolutePath} was refused with {(int)response.StatusCode}: {said}");
    }
}
