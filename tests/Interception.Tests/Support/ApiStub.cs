using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni.Kubernetes;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>An API server that knows some pods and remembers what it was asked.</summary>
internal sealed class ApiStub : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("api-").FullName;

    public ApiStub(params JsonObject[] pods)
    {
        Pods = [.. pods];
        var port = FreePort();
        _listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        _listener.Start();
        Kubeconfig = Path.Combine(_directory, "kubeconfig");
        File.WriteAllText(Kubeconfig, new Kubeconfig($"http://127.0.0.1:{port}", "", "secret", false).Text());
        var thread = new Thread(Serve) { IsBackground = true };
        thread.Start();
    }

    public List<JsonObject> Pods { get; }

    public string Kubeconfig { get; }

    /// <summary>Status that every request is answered with while it is not 0.</summary>
    public int Refuse { get; set; }

    public List<string> Requests { get; } = [];

    public void Dispose()
    {
        _listener.Close();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var socket = Sockets.Listen(IPAddress.Loopback, 0);
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private void Serve()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = _listener.GetContext();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
            Answer(context);
        }
    }

    private void Answer(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream);
        var request = $"{context.Request.HttpMethod} {context.Request.RawUrl} {reader.ReadToEnd()}".Trim();
        lock (Requests)
            Requests.Add(request);
        var (status, body) = context.Request.Headers["Authorization"] != "Bearer secret" ? (401, "{}")
            : Refuse != 0 ? (Refuse, "{}")
            : Content(context.Request.Url!.AbsolutePath);
        context.Response.StatusCode = status;
        context.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: true);
    }

    private (int, string) Content(string path)
    {
        if (path == "/api/v1/pods")
            return (200, new JsonObject { ["items"] = new JsonArray([.. Pods.Select(p => p.DeepClone())]) }.ToJsonString());
        var pod =
            Pods.Find(p => path.StartsWith($"/api/v1/namespaces/{p["metadata"]!["namespace"]}/pods/{p["metadata"]!["name"]}"));
        return pod is null ? (404, "{}") : (200, pod.ToJsonString());
    }
}
