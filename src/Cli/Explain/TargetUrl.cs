using MeshProxy.Cli.Dumps;

namespace MeshProxy.Cli.Explain;

/// <summary>What is to be explained: a URL, or host:port.</summary>
/// <param name="Authority">The host header a client would send.</param>
/// <param name="Path">With its query.</param>
internal sealed record TargetUrl(bool IsUrl, bool Tls, string Host, int Port, string Authority, string Path)
{
    /// <exception cref="CommandException">It is neither.</exception>
    public static TargetUrl Parse(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https" or "tcp" or "tls"))
            {
                throw new CommandException($"{text} is no URL of http, https, tcp or tls.");
            }
            // As it was written: Uri would undo dots and escapes that the proxy is to see.
            var path = text.IndexOf('/', text.IndexOf("://", StringComparison.Ordinal) + 3);
            return url.Port > 0
                ? new TargetUrl(url.Scheme.StartsWith("http", StringComparison.Ordinal), url.Scheme is "https" or "tls", url.Host.Trim('[', ']'),
                    url.Port, url.IsDefaultPort ? url.Host : url.Authority, path < 0 ? "/" : text[path..])
                : throw new CommandException($"{text} has no port; write it behind the host.");
        }
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text[(colon + 1)..], out var port) || port is < 1 or > 65535)
        {
            throw new CommandException($"{text} is neither a URL nor host:port.");
        }
        return new TargetUrl(false, false, text[..colon].Trim('[', ']'), port, text, "/");
    }
}
