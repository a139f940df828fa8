using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Webhook;

/// <summary>The authority in a Secret of the webhook's namespace; the API server's versions let one replica write.</summary>
internal sealed class SecretAuthorityStore(KubernetesApi api, string space, string name) : IAuthorityStore
{
    private string Collection => $"/api/v1/namespaces/{space}/secrets";

    public async Task<(Authority Authority, string Version)?> ReadAsync(CancellationToken stop)
    {
        var secret = await api.GetAsync($"{Collection}/{name}", stop).ConfigureAwait(false);
        if (secret is null)
            return null;
        var data = secret.Object("data");
        var authority = new Authority
        {
            CertificatePem = Decode(data.Text("tls.crt")),
            KeyPem = Decode(data.Text("tls.key")),
            BundlePem = Decode(data.Text("ca.crt")),
        };
        return (authority, secret.Object("metadata").Text("resourceVersion") ?? "");
    }

    public async Task<bool> WriteAsync(Authority authority, string? version, CancellationToken stop)
    {
        var metadata = new JsonObject { ["name"] = name, ["namespace"] = space };
        if (version is not null)
            metadata["resourceVersion"] = version;
        var secret = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = metadata,
            ["type"] = "kubernetes.io/tls",
            ["data"] = new JsonObject
            {
                ["tls.crt"] = Encode(authority.CertificatePem),
                ["tls.key"] = Encode(authority.KeyPem),
                ["ca.crt"] = Encode(authority.BundlePem),
            },
        };
        try
        {
            await (version is null
                ? api.CreateAsync(Collection, secret, stop)
                : api.ReplaceAsync($"{Collection}/{name}", secret, stop)).ConfigureAwait(false);
            return true;
        }
        catch (KubernetesException e) when (e.Status == HttpStatusCode.Conflict)
        {
            return false;
        }
    }

    private static string Encode(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem));

    private static string Decode(string? data) => Encoding.ASCII.GetString(Convert.FromBase64String(data ?? ""));
}
