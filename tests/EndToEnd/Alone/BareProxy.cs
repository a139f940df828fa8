using System.Globalization;
using System.Net;
using MeshProxy.Demo.Network;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>`meshproxy -c`: the proxy with a bootstrap of its own, as pilot-agent would drive it.</summary>
internal sealed class BareProxy : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder;

    private BareProxy(DirectoryInfo folder, ChildProcess process, int adminPort)
    {
        (_folder, Process) = (folder, process);
        Admin = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{adminPort}/"), Timeout = StartLimit };
    }

    public ChildProcess Process { get; }

    /// <summary>Its administration interface.</summary>
    public HttpClient Admin { get; }

    /// <summary>Starts one and waits until it is live.</summary>
    /// <param name="clusters">Static clusters, a list's members.</param>
    /// <param name="listeners">Static listeners, a list's members.</param>
    /// <param name="more">Other members of the bootstrap, each preceded by a comma.</param>
    public static async Task<BareProxy> StartAsync(string clusters, string listeners, string more = "")
    {
        var folder = Directory.CreateTempSubdirectory("bare-");
        var admin = Ports.Free(1)[0];
        var file = Path.Combine(folder.FullName, "bootstrap.json");
        File.WriteAllText(file, $$"""
            {
              "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": {{admin}} } } },
              "static_resources": { "clusters": [{{clusters}}], "listeners": [{{listeners}}] }{{more}}
            }
            """);
        var process = ChildProcess.Start("the proxy", [
            MeshFactAttribute.Executable, "-c", file, "-l", "warning", "--concurrency", "2", "--disable-hot-restart",
            "--drain-strategy", "immediate", "--drain-time-s", "45",
        ]);
        var proxy = new BareProxy(folder, process, admin);
        try
        {
            await process.WaitUntilAsync(proxy.IsLiveAsync, StartLimit, CancellationToken.None);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether it answers that it is live.</summary>
    public async Task<bool> IsLiveAsync()
    {
        try
        {
            using var answer = await Admin.GetAsync("ready");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>A statistic's value; 0 when it was never used.</summary>
    public async Task<long> StatAsync(string name)
    {
        var text = await Admin.GetStringAsync("stats?filter=^" + Uri.EscapeDataString(name.Replace(".", "\\.", StringComparison.Ordinal)) + "$");
        return text.Length == 0 ? 0 : long.Parse(text.AsSpan(text.LastIndexOf(' ') + 1).Trim(), CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await Process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
