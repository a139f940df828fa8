using System.Text;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/unsupported`: configuration that was accepted though it is not built, a line each: what, what becomes of traffic, how often.</summary>
internal sealed class UnsupportedEndpoint(UnsupportedFeatures features)
{
    public AdminEndpoint Endpoint =>
        new("/unsupported", "print configuration that was accepted although this proxy does not build it", false, _ => Answer());

    private AdminResponse Answer()
    {
        var text = new StringBuilder();
        foreach (var entry in features.All)
        {
            var effect = entry.Effect == UnsupportedEffect.Refuses ? "refuses traffic" : "ignored";
            text.Append(entry.Feature).Append(": ").Append(effect).Append(", ").Append(entry.Count).Append(" times\n");
        }
        return AdminResponse.Text(text.ToString());
    }
}
