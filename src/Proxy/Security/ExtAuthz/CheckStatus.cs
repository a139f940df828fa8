namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>What came of asking an authorization service.</summary>
internal enum CheckStatus
{
    Ok,

    /// <summary>The service could not be asked, or failed.</summary>
    Error,
    Denied,
}
