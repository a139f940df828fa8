namespace MeshProxy.Proxy.Admin;

/// <summary>One path of the admin interface.</summary>
/// <param name="Help">One line for /help.</param>
/// <param name="Mutates">Needs POST.</param>
public sealed record AdminEndpoint(string Path, string Help, bool Mutates, Func<AdminQuery, AdminResponse> Answer);
