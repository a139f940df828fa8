using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Gives the newest route table; one volatile read a request.</summary>
internal interface IRouteProvider
{
    /// <summary>Null while none has come: every request is then without route.</summary>
    RouteTable? Table(HeaderMap headers, StreamInfo info);
}
