using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Security.Rbac;

/// <summary>What a decision may look at.</summary>
/// <param name="Connection">The connection itself: its peer, session and server name.</param>
/// <param name="StreamInfo">The request's record, or the connection's own for L4.</param>
/// <param name="Headers">Null at L4, where nothing of a request ever matches.</param>
/// <param name="Route">The chosen route; null at L4 and without one.</param>
internal readonly record struct RbacContext(
    Connection Connection, StreamInfo StreamInfo, HeaderMap? Headers, Func<Route?>? Route);
