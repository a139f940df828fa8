using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Webhook;

/// <summary>Follows a collection of the Kubernetes API: a list, then its changes, from the start again when that breaks.</summary>
internal sealed class ObjectWatch
{
    // A page of nodes with their images is some megabytes.
    private const int PageSize = 100;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly KubernetesApi _api;
    private readonly string _path;
    private readonly string _selector;
    private readonly Action<string> _log;

    /// <param name="api">Where to ask.</param>
    /// <param name="path">The collection.</param>
    /// <param name="fieldSelector">Which of its objects, or empty for all.</param>
    /// <param name="log">Told of what breaks.</param>
    public ObjectWatch(KubernetesApi api, string path, string fieldSelector, Action<string> log)
    {
        (_api, _path, _log) = (api, path, log);
        _selector = fieldSelector.Length > 0 ? "&fieldSelector=" + Uri.EscapeDataString(fieldSelector) : "";
    }

    /// <summary>Objects of a list that is complete, before its changes.</summary>
    public required Func<IReadOnlyList<JsonObject>, CancellationToken, Task> Listed { get; init; }

    /// <summary>An object that is new or changed, or gone.</summary>
    public required Func<JsonObject, bool, CancellationToken, Task> Changed { get; init; }

    public async Task RunAsync(CancellationToken stop)
    {
        var pause = FirstPause;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(stop).ConfigureAwait(false);
                pause = FirstPause;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or IOException or JsonException
                or OperationCanceledException)
            {
                _log($"watching {_path}: {e.Message}; again in {pause.TotalSeconds:0.#} s");
                await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        List<JsonObject> objects = [];
        string? version;
        var next = "";
        do
        {
            var page = await _api.GetAsync($"{_path}?limit={PageSize}{_selector}{next}", stop).ConfigureAwait(false);
            objects.AddRange(page.Members("items"));
            version = page.Object("metadata").Text("resourceVersion");
            next = page.Object("metadata").Text("continue") is { Length: > 0 } more ? "&continue=" + Uri.EscapeDataString(more) : "";
        }
        while (next.Length > 0);
        await Listed(objects, stop).ConfigureAwait(false);
        while (version is not null)
            version = await ChangesAsync(version, stop).ConfigureAwait(false);
    }

    // The server ends a watch after timeoutSeconds; it goes on from the last version, and from a new list if that is gone.
    private async Task<string?> ChangesAsync(string version, CancellationToken stop)
    {
        var path = $"{_path}?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion={version}{_selector}";
        try
        {
            await foreach (var change in _api.WatchAsync(path, stop).ConfigureAwait(false))
            {
                if (change.Text("type") == "ERROR" || change.Object("object") is not { } changed)
                    return null;
                version = changed.Object("metadata").Text("resourceVersion") ?? version;
                if (change.Text("type") != "BOOKMARK")
                    await Changed(changed, change.Text("type") == "DELETED", stop).ConfigureAwait(false);
            }
            return version;
        }
        catch (KubernetesException e) when (e.Status == HttpStatusCode.Gone)
        {
            return null;
        }
    }
}
