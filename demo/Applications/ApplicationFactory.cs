using System.Net;
using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Applications;

/// <summary>Starts the application that belongs to a service's protocol.</summary>
internal static class ApplicationFactory
{
    /// <summary>Starts it in a pod.</summary>
    public static async Task<IApplication> StartAsync(Pod pod, IPEndPoint address)
    {
        var protocol = pod.Workload.Service!.Protocol;
        return protocol switch
        {
            ServiceProtocol.Http or ServiceProtocol.Grpc => await WebApplicationServer.StartAsync(pod, address),
            ServiceProtocol.Tcp => TcpApplication.Start(pod, address, greeting: ""),
            ServiceProtocol.ServerFirst => TcpApplication.Start(pod, address, TcpApplication.Greeting(pod.Workload)),
            _ => throw new ArgumentOutOfRangeException(nameof(pod), protocol, "no such protocol"),
        };
    }
}
