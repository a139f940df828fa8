namespace MeshProxy.Injection.Webhook;

/// <summary>For a webhook that runs outside a cluster: one replica, an authority for as long as it runs.</summary>
internal sealed class MemoryAuthorityStore : IAuthorityStore
{
    private Authority? _stored;

    public Task<(Authority Authority, string Version)?> ReadAsync(CancellationToken stop) =>
        Task.FromResult<(Authority, string)?>(_stored is null ? null : (_stored, ""));

    public Task<bool> WriteAsync(Authority authority, string? version, CancellationToken stop)
    {
        _stored = authority;
        return Task.FromResult(true);
    }
}
