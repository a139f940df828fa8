using System.Globalization;
using System.Net;
using MeshProxy.Demo.Applications;
using MeshProxy.Demo.Network;
using MeshProxy.Demo.Resources;

namespace MeshProxy.Demo.Mesh;

/// <summary>
/// A mesh that runs: the control plane, the pods with their applications and sidecars. Disposing removes all of it.
/// </summary>
public sealed class RunningMesh : IAsyncDisposable
{
    // The user that the redirect rules let through: the proxy's own traffic (Istio's default).
    private const string ProxyUser = "1337";
    private const int ControlPlanePort = 15010;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    private readonly DirectoryInfo _scratch;
    private readonly Fabric? _fabric;
    private readonly Dictionary<string, Pod> _pods = [];
    private ChildProcess? _controlPlane;

    private RunningMesh(MeshDescription description, DirectoryInfo scratch, Fabric? fabric)
    {
        Description = description;
        _scratch = scratch;
        _fabric = fabric;
    }

    /// <summary>The mesh as it is configured now.</summary>
    public MeshDescription Description { get; private set; }

    /// <summary>A pod, by its workload's name.</summary>
    public Pod this[string name] => _pods[name];

    /// <summary>All pods.</summary>
    public IEnumerable<Pod> Pods => _pods.Values;

    /// <summary>Starts a mesh and waits until every sidecar is ready.</summary>
    /// <param name="description">What it is made of.</param>
    /// <param name="executable">The proxy; needed when any workload has a sidecar.</param>
    /// <param name="cancellation">Ends the start; what was made is removed.</param>
    /// <exception cref="CommandFailedException">Something did not start; the message holds what it said.</exception>
    public static async Task<RunningMesh> StartAsync(
        MeshDescription description, string executable, CancellationToken cancellation = default)
    {
        var scratch = Directory.CreateTempSubdirectory("meshproxy-");
        var mesh = new RunningMesh(
            description, scratch, description.Capture == TrafficCapture.Redirect ? Fabric.Create() : null);
        try
        {
            foreach (var workload in description.Workloads)
                mesh._pods[workload.Name] = new Pod(workload, mesh._fabric?.AddPod(workload.Name, workload.Address));
            foreach (var pod in mesh.Pods) await mesh.StartApplicationAsync(pod);
            if (description.Workloads.Any(w => w.HasSidecar)) await mesh.StartProxiesAsync(executable, cancellation);
            return mesh;
        }
        catch
        {
            await mesh.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives the sidecars another configuration, while traffic flows.</summary>
    public void Apply(MeshDescription description)
    {
        Description = description;
        ResourceFolder.Write(description, ConfigurationFolder);
    }

    /// <summary>A client of HTTP in one pod for a service.</summary>
    public HttpClient HttpClient(string caller, string service)
    {
        var (address, port) = Description.Destination(this[caller].Workload, Description.Service(service));
        var client = this[caller].HttpClient(address, port);
        client.BaseAddress = new Uri($"http://{service}:{Description.Service(service).Port}/");
        return client;
    }

    /// <summary>A connection from one pod to a service.</summary>
    public Task<System.Net.Sockets.NetworkStream> ConnectAsync(
        string caller, string service, CancellationToken cancellation = default)
    {
        var (address, port) = Description.Destination(this[caller].Workload, Description.Service(service));
        return this[caller].ConnectAsync(address, port, cancellation);
    }

    /// <summary>The address and port that the endpoints of a workload name, past any client's sidecar.</summary>
    public (string Address, int Port) Endpoint(string workload) =>
        (this[workload].Workload.Address, this[workload].Workload.Service!.Port);

    /// <summary>Ends all processes and removes the namespaces and files.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var pod in Pods) await pod.DisposeAsync();
        if (_controlPlane is not null) await _controlPlane.DisposeAsync();
        _fabric?.Dispose();
        _scratch.Delete(recursive: true);
    }

    private string ConfigurationFolder => Path.Combine(_scratch.FullName, "resources");

    private string ControlPlaneAddress => _fabric is null ? "127.0.0.1" : Fabric.CenterAddress;

    private async Task StartApplicationAsync(Pod pod)
    {
        if (pod.Workload.Service is not { } service) return;
        // Without redirects all pods share the machine's ports, and each keeps to its own address.
        var address = _fabric is null ? IPAddress.Parse(pod.Workload.Address) : IPAddress.Any;
        pod.Application = await ApplicationFactory.StartAsync(
            pod, new IPEndPoint(address, Description.ApplicationPort(service)));
    }

    private async Task StartProxiesAsync(string executable, CancellationToken cancellation)
    {
        var proxy = CopyOfExecutable(executable);
        ResourceFolder.Write(Description, ConfigurationFolder);
        var place = $"{ControlPlaneAddress}:{ControlPlanePort.ToString(CultureInfo.InvariantCulture)}";
        string[] command = [proxy, "control-plane", "--dir", ConfigurationFolder, "--listen", place];
        _controlPlane = ChildProcess.Start("the control plane", _fabric?.Center.Inside(command) ?? command);

        var sidecars = Pods.Where(p => p.Workload.HasSidecar).ToList();
        foreach (var pod in sidecars) StartSidecar(pod, proxy);
        foreach (var pod in sidecars)
            await pod.Sidecar!.WaitUntilAsync(() => IsReadyAsync(pod, cancellation), StartLimit, cancellation);
    }

    private void StartSidecar(Pod pod, string proxy)
    {
        var bootstrap = Path.Combine(_scratch.FullName, pod.Workload.Name + ".json");
        File.WriteAllText(
            bootstrap, Bootstrap.Build(pod.Workload, AdminAddress(pod), (ControlPlaneAddress, ControlPlanePort)));
        if (_fabric is not null) Redirect(pod, proxy);
        string[] command =
        [
            proxy, "-c", bootstrap, "-l", "warning",
            "--concurrency", "1", "--drain-time-s", "2", "--disable-hot-restart",
        ];
        pod.Sidecar = ChildProcess.Start($"the sidecar of {pod.Workload.Name}", pod.Inside(_fabric is null
            ? command
            : ["setpriv", "--reuid", ProxyUser, "--regid", ProxyUser, "--clear-groups", .. command]));
    }

    private static void Redirect(Pod pod, string proxy)
    {
        // As Istio's injector writes it: everything out and in, except the ports the proxy itself serves.
        string[] command = pod.Inside(
            proxy, "init", "-p", "15001", "-z", "15006", "-u", ProxyUser, "-g", ProxyUser, "-m", "REDIRECT",
            "-i", "*", "-b", "*", "-d", "15090,15021,15020");
        Command.Run(command[0], command.AsSpan(1));
    }

    private static async Task<bool> IsReadyAsync(Pod pod, CancellationToken cancellation)
    {
        using var client = pod.HttpClient(AdminAddress(pod), Bootstrap.AdminPort);
        try
        {
            using var answer = await client.GetAsync(new Uri("http://admin/ready"), cancellation);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string AdminAddress(Pod pod) => pod.Workload.Address.StartsWith("127.", StringComparison.Ordinal)
        ? pod.Workload.Address
        : "127.0.0.1";

    // Sidecars run as a user of their own, who may not be allowed into the folder of the build.
    private string CopyOfExecutable(string executable)
    {
        const UnixFileMode readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute |
            UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        _scratch.UnixFileMode = readable;
        var folder = _scratch.CreateSubdirectory("bin").FullName;
        // A development build is an executable among its assemblies; a native one stands alone.
        var files = File.Exists(executable + ".dll")
            ? Directory.GetFiles(Path.GetDirectoryName(executable)!)
            : [executable];
        foreach (var file in files)
        {
            var copy = Path.Combine(folder, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(copy, readable);
        }

        return Path.Combine(folder, Path.GetFileName(executable));
    }
}
