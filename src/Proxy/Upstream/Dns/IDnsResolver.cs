namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>Resolves names without blocking a loop.</summary>
internal interface IDnsResolver
{
    /// <summary>Looks a name up; the task never fails, failures are in the answer.</summary>
    Task<DnsAnswer> ResolveAsync(string name, DnsFamily family, CancellationToken cancellation);
}
