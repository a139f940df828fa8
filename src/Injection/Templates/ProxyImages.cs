using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>Image names: registry, name and tag from the values, or one given in full (with a slash).</summary>
internal static class ProxyImages
{
    private static readonly string[] Types = ["-debug", "-distroless"];

    public static string Proxy(TemplateInput input)
    {
        var name = input.Annotation(MeshNames.ProxyImage, input.Values.Proxy.Image);
        return IsComplete(name) ? name : FromParts(input);
    }

    public static string Init(TemplateInput input, string proxyImage) =>
        IsComplete(input.Values.InitImage) ? input.Values.InitImage : proxyImage;

    private static string FromParts(TemplateInput input)
    {
        var type = input.Annotation(MeshNames.ProxyImageType, input.ProxyConfig.ImageType);
        return $"{input.Values.Hub}/{input.Values.Proxy.Image}:{Typed(input.Values.Tag, type)}";
    }

    private static string Typed(string tag, string type)
    {
        if (type.Length == 0)
            return tag;
        foreach (var suffix in Types)
        {
            if (tag.EndsWith(suffix, StringComparison.Ordinal))
                tag = tag[..^suffix.Length];
        }
        return type == "default" ? tag : $"{tag}-{type}";
    }

    private static bool IsComplete(string image) => image.Contains('/', StringComparison.Ordinal);
}
