using MeshProxy.Proxy.Listeners;

namespace MeshProxy.Proxy.Explanation;

/// <summary>What the chosen chain wants of the client's transport.</summary>
internal static class TlsExplainer
{
    /// <returns>Why the handshake fails; null when the connection goes on.</returns>
    public static string? Explain(CompiledFilterChain chain, TrafficFacts traffic, List<ExplanationStep> steps)
    {
        var socket = ((NamedTransport)chain.TransportSocket).Definition;
        if (TransportTexts.Downstream(socket) is not { } tls)
        {
            steps.Add(new ExplanationStep("tls", "plaintext", traffic.Tls
                ? "The chain does not terminate TLS: its bytes are passed on as they are." : "The chain takes plaintext.", [], []));
            return null;
        }
        var facts = tls.CommonTlsContext is { } common ? TransportTexts.Describe(common) : [];
        var mutual = tls.RequireClientCertificate == true;
        var name = mutual ? "mutual TLS" : "TLS";
        if (!traffic.Tls)
        {
            steps.Add(new ExplanationStep("tls", name, "The chain terminates TLS, and the client speaks plaintext.", facts, []));
            return "the chain wants TLS and the client speaks plaintext";
        }
        if (mutual && traffic.Principal.Length == 0)
        {
            steps.Add(new ExplanationStep("tls", name, "The client must show a certificate, and shows none.", facts, []));
            return "the client must show a certificate";
        }
        steps.Add(new ExplanationStep("tls", name, mutual ? $"The client shows {traffic.Principal}."
            : "The chain terminates TLS; a client certificate is not required.", facts, []));
        return null;
    }
}
