using System.Text.Json.Nodes;
using MeshProxy.Interception.Host;

namespace MeshProxy.Interception.Cni.Kubernetes;

/// <summary>
/// Access to the API server for the plugin, which runs on the node without a service account. Written as JSON, which is
/// YAML as well: any tool can read it.
/// </summary>
internal sealed record Kubeconfig(string Server, string CertificateAuthority, string Token, bool SkipTlsVerify)
{
    /// <summary>Base64 of the authority's PEM file, as kubeconfig has it; empty: the system's authorities.</summary>
    public string CertificateAuthority { get; init; } = CertificateAuthority;

    public string Text() => Json.Text(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Config",
        ["clusters"] = new JsonArray(new JsonObject
        {
            ["name"] = "local",
            ["cluster"] = SkipTlsVerify
                ? new JsonObject { ["server"] = Server, ["insecure-skip-tls-verify"] = true }
                : CertificateAuthority.Length == 0
                    ? new JsonObject { ["server"] = Server }
                    : new JsonObject { ["server"] = Server, ["certificate-authority-data"] = CertificateAuthority },
        }),
        ["users"] = new JsonArray(new JsonObject
        {
            ["name"] = "meshproxy-cni",
            ["user"] = new JsonObject { ["token"] = Token },
        }),
        ["contexts"] = new JsonArray(new JsonObject
        {
            ["name"] = "default",
            ["context"] = new JsonObject { ["cluster"] = "local", ["user"] = "meshproxy-cni" },
        }),
        ["current-context"] = "default",
    });

    /// <exception cref="InterceptionException">The file is missing or not one that <see cref="Text"/>
    /// writes.</exception>
    public static Kubeconfig Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InterceptionException($"The kubeconfig {path} cannot be read: {FailureReason.Of(e)}.");
        }
        var config = Json.TryParse(text);
        var cluster = Json.Object(Json.Array(config, "clusters") is [var c, ..] ? c : null, "cluster");
        var user = Json.Object(Json.Array(config, "users") is [var u, ..] ? u : null, "user");
        if (Json.String(cluster, "server") is not { } server)
            throw new InterceptionException(
                $"The kubeconfig {path} names no server in JSON form: let `meshproxy cni install` write it.");
        return new Kubeconfig(
            server,
            Json.String(cluster, "certificate-authority-data") ?? "",
            Json.String(user, "token") ?? "",
            Json.Boolean(cluster, "insecure-skip-tls-verify") ?? false);
    }
}
