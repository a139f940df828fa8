using System.Net;
using System.Net.Sockets;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>Ports of this machine that nobody uses.</summary>
internal static class Ports
{
    /// <summary>Some, all different: they are held until all are found.</summary>
    public static int[] Free(int count)
    {
        var held = new List<Socket>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                held.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                held[i].Bind(new IPEndPoint(IPAddress.Any, 0));
            }

            return [.. held.Select(s => ((IPEndPoint)s.LocalEndPoint!).Port)];
        }
        finally
        {
            held.ForEach(s => s.Dispose());
        }
    }
}
