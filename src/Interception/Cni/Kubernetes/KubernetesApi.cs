using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace MeshProxy.Interception.Cni.Kubernetes;

/// <summary>The four requests that are needed of Kubernetes' API.</summary>
internal sealed class KubernetesApi : IDisposable
{
    // A request that hangs holds up the pod; the next try may reach another API server.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient _client;

    public KubernetesApi(Kubeconfig config)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (config.SkipTlsVerify)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        else if (config.CertificateAuthority.Length > 0)
            handler.SslOptions = Trusting(config.CertificateAuthority);
        _client =
            new HttpClient(handler) { BaseAddress = new Uri(config.Server.TrimEnd('/') + "/"), Timeout = Patience };
        if (config.Token.Length > 0)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", config.Token);
    }

    /// <exception cref="InterceptionException">The server cannot be reached or says no.</exception>
    public JsonObject GetPod(string space, string name) =>
        Json.TryParse(Send(HttpMethod.Get, PodPath(space, name)))
        ?? throw new InterceptionException($"The API server's answer for pod {space}/{name} is no JSON object.");

    public IReadOnlyList<JsonObject> PodsOfNode(string node)
    {
        var path = $"api/v1/pods?fieldSelector=spec.nodeName%3D{Uri.EscapeDataString(node)}";
        var list = Json.TryParse(Send(HttpMethod.Get, path));
        return [.. Json.Array(list, "items")?.OfType<JsonObject>() ?? []];
    }

    /// <summary>Deletes a pod if it is still the one that was seen.</summary>
    public void DeletePod(string space, string name, string uid, string resourceVersion)
    {
        var options = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["preconditions"] = new JsonObject { ["uid"] = uid, ["resourceVersion"] = resourceVersion },
        };
        Send(HttpMethod.Delete, PodPath(space, name), options, "application/json");
    }

    public void LabelPod(string space, string name, string key, string value)
    {
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [key] = value } } };
        Send(HttpMethod.Patch, $"{PodPath(space, name)}/status", patch, "application/merge-patch+json");
    }

    public void Dispose() => _client.Dispose();

    private static string PodPath(string space, string name) =>
        $"api/v1/namespaces/{Uri.EscapeDataString(space)}/pods/{Uri.EscapeDataString(name)}";

    private string Send(HttpMethod method, string path, JsonNode? body = null, string type = "")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(Json.Text(body), Encoding.UTF8, type);
        try
        {
            using var response = _client.Send(request);
            using var reader = new StreamReader(response.Content.ReadAsStream());
            var text = reader.ReadToEnd();
            if (response.IsSuccessStatusCode)
                return text;
            throw new InterceptionException(
                $"The API server answered {method} /{path} with "
                + $"{(int)response.StatusCode}{Advice(response.StatusCode)}.");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            throw new InterceptionException(
                $"The API server {_client.BaseAddress} cannot be reached for {method} /{path}: {Innermost(e)}.");
        }
    }

    private static string Advice(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized =>
            " (the token of the kubeconfig is not valid any more: is `meshproxy cni install` running?)",
        HttpStatusCode.Forbidden => " (its role does not allow it)",
        _ => "",
    };

    private static string Innermost(Exception e) =>
        e.GetBaseException() is { } cause and not TaskCanceledException ? cause.Message : "no answer in time";

    private static SslClientAuthenticationOptions Trusting(string authority)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(authority)));
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }
}
