using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Offline;

/// <summary>ENABLE_NATIVE_SIDECARS: whether proxies are native sidecars (init containers that stay).</summary>
public enum NativeSidecarMode
{
    /// <summary>Where all nodes know them; without a cluster to ask, nowhere.</summary>
    Auto,
    Always,
    Never,
}

public static class NativeSidecarModes
{
    /// <exception cref="ManifestException">The text is none of the modes.</exception>
    public static NativeSidecarMode Parse(string? text) => text switch
    {
        null or "" or "auto" => NativeSidecarMode.Auto,
        "true" or "1" => NativeSidecarMode.Always,
        "false" or "0" => NativeSidecarMode.Never,
        _ => throw new ManifestException($"ENABLE_NATIVE_SIDECARS is \"{text}\": it must be true, false or auto"),
    };
}
