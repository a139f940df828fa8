using Envoy.Config.Core.V3;

namespace MeshProxy.Cli.Views;

/// <summary>Which Istio resource a part of the configuration was made of, from the metadata istiod adds.</summary>
internal static class IstioConfig
{
    /// <summary>`reviews.default` of `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`; empty if none.</summary>
    public static string NameOf(Metadata? metadata)
    {
        foreach (var (name, fields) in metadata?.FilterMetadata ?? default)
        {
            if (name != "istio")
            {
                continue;
            }
            foreach (var (key, value) in fields.Fields)
            {
                if (key == "config" && value.StringValue.Split('/') is [.., "namespaces", var space, _, var resource])
                {
                    return $"{resource}.{space}";
                }
            }
        }
        return "";
    }
}
