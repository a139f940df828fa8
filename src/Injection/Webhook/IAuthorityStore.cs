namespace MeshProxy.Injection.Webhook;

/// <summary>Where the replicas of the webhook share their authority.</summary>
internal interface IAuthorityStore
{
    /// <summary>The stored authority and its version, or null.</summary>
    Task<(Authority Authority, string Version)?> ReadAsync(CancellationToken stop);

    /// <returns>False if another replica was first: read again.</returns>
    /// <param name="authority">What to store.</param>
    /// <param name="version">The version that it replaces; null if there was none.</param>
    /// <param name="stop">Ends the attempt.</param>
    Task<bool> WriteAsync(Authority authority, string? version, CancellationToken stop);
}
