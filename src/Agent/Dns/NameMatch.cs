using System.Net;

namespace MeshProxy.Agent.Dns;

/// <summary>What the name table says of a name.</summary>
/// <param name="Addresses">Of both families.</param>
/// <param name="Target">The name in the table, where a search list brought another one; null when they are the same.</param>
internal sealed record NameMatch(IReadOnlyList<IPAddress> Addresses, string? Target = null);
