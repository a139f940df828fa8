using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace MeshProxy.Cli.Tests;

/// <summary>The executable with a bootstrap, on ports that the kernel chose.</summary>
internal sealed class RunningProxy : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("meshproxy-cli-").FullName;
    private readonly Process _process;

    public RunningProxy(string bootstrap)
    {
        var config = Path.Combine(_directory, "bootstrap.yaml");
        File.WriteAllText(config, bootstrap);
        using var written = new FileSystemWatcher(_directory, "admin.txt") { EnableRaisingEvents = true };
        var known = new ManualResetEventSlim();
        written.Changed += (_, _) => known.Set();
        written.Created += (_, _) => known.Set();
        _process = Meshproxy.Start(
            ["-c", config, "-l", "error", "--concurrency", "1", "--disable-hot-restart", "--admin-address-path", AdminFile], _directory);
        // The error stream is read, so that a proxy that ends tells why.
        var complaint = _process.StandardError.ReadToEndAsync();
        while (!File.Exists(AdminFile) || File.ReadAllText(AdminFile).Length == 0)
        {
            Debug.Assert(!_process.HasExited, complaint.IsCompleted ? complaint.Result : "the proxy ended");
            known.Wait(TimeSpan.FromMilliseconds(50));
        }
        Admin = File.ReadAllText(AdminFile);
        while (Get("/ready").Status != HttpStatusCode.OK)
        {
        }
    }

    public string Admin { get; }

    private string AdminFile => Path.Combine(_directory, "admin.txt");

    /// <summary>Port of a listener by its name.</summary>
    public int PortOf(string listener)
    {
        using var document = JsonDocument.Parse(Get("/listeners?format=json").Body);
        return document.RootElement.GetProperty("listener_statuses").EnumerateArray()
            .First(status => status.GetProperty("name").GetString() == listener)
            .GetProperty("local_address").GetProperty("socket_address").GetProperty("port_value").GetInt32();
    }

    public (HttpStatusCode Status, string Body) Get(string path) => Fetch($"http://{Admin}{path}");

    public static (HttpStatusCode Status, string Body) Fetch(string url)
    {
        using var client = new HttpClient();
        using var response = client.Send(new HttpRequestMessage(HttpMethod.Get, url));
        using var reader = new StreamReader(response.Content.ReadAsStream());
        return (response.StatusCode, reader.ReadToEnd());
    }

    /// <summary>A command of the executable that asks this proxy.</summary>
    public Meshproxy.Result Ask(params string[] arguments) => Meshproxy.Run([.. arguments, "--admin", Admin], _directory);

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
