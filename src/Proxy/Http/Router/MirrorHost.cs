using System.Text;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>The authority of a mirrored request tells what it is: `-shadow` behind the name, before the port.</summary>
internal static class MirrorHost
{
    public static void Apply(HeaderMap headers, MirrorPolicy policy)
    {
        if (policy.HostRewrite.Length > 0)
        {
            headers.Set(KnownHeader.Authority, policy.HostRewrite);
            return;
        }
        if (policy.DisableHostSuffix || !headers.TryGet(KnownHeader.Authority, out var host) || host.IsEmpty)
        {
            return;
        }
        var colon = HeaderUtility.PortStart(host);
        var name = Encoding.Latin1.GetString(colon < 0 ? host : host[..colon]);
        var port = colon < 0 ? "" : Encoding.Latin1.GetString(host[colon..]);
        headers.Set(KnownHeader.Authority, $"{name}-shadow{port}");
    }
}
