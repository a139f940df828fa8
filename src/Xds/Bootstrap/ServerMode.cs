namespace MeshProxy.Xds.Bootstrap;

/// <summary>Envoy's <c>--mode</c>.</summary>
public enum ServerMode
{
    Serve,

    /// <summary>Check the configuration as far as serving would, and end.</summary>
    Validate,

    /// <summary>Start up to the point of serving, and end.</summary>
    InitOnly,
}
