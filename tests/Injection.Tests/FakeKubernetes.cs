using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Webhook;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace MeshProxy.Injection.Tests;

/// <summary>
/// As much of an API server as the webhook talks to: objects with versions, optimistic writes, server-side apply of
/// `caBundle`, and watches.
/// </summary>
internal sealed class FakeKubernetes : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, JsonObject> _objects = new();
    private readonly ConcurrentDictionary<Channel<JsonObject>, bool> _watches = new();
    private readonly WebApplication _server;
    private int _version;

    private FakeKubernetes()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        ((IApplicationBuilder)_server).Run(HandleAsync);
    }

    /// <summary>What was applied, by path.</summary>
    public Channel<(string Path, JsonObject Body)> Applied { get; } = Channel.CreateUnbounded<(string, JsonObject)>();

    public static async Task<FakeKubernetes> StartAsync()
    {
        var fake = new FakeKubernetes();
        await fake._server.StartAsync();
        return fake;
    }

    public KubernetesApi Api() => new(new Uri(_server.Urls.First()), () => "token", roots: null);

    public JsonObject? Get(string path) => _objects.GetValueOrDefault(path);

    public void Set(string path, string yaml)
    {
        var stored = Store(path, Given.Pod(yaml));
        foreach (var watch in _watches.Keys)
            watch.Writer.TryWrite(new JsonObject { ["type"] = "MODIFIED", ["object"] = stored.DeepClone() });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in _watches.Keys)
            watch.Writer.TryComplete();
        await _server.DisposeAsync();
    }

    private JsonObject Store(string path, JsonObject body)
    {
        body.Require("metadata")["resourceVersion"] = Interlocked.Increment(ref _version).ToString();
        return _objects[path] = body;
    }

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (context.Request.Headers.Authorization != "Bearer token")
            context.Response.StatusCode = 401;
        else if (context.Request.Query.ContainsKey("watch"))
            await WatchAsync(context);
        else if (context.Request.Method == "GET")
            await ReadAsync(context, path);
        else
            await WriteAsync(context, path);
    }

    private async Task ReadAsync(HttpContext context, string path)
    {
        if (_objects.TryGetValue(path, out var found))
        {
            await context.Response.WriteAsync(found.ToJsonString());
            return;
        }
        var name = context.Request.Query["fieldSelector"].ToString().Replace("metadata.name=", "");
        var items = _objects.Where(o => o.Key.StartsWith(path + "/") && o.Key.EndsWith(name)).Select(o => (JsonNode)o.Value.DeepClone());
        if (!context.Request.Query.ContainsKey("limit"))
        {
            context.Response.StatusCode = 404;
            return;
        }
        await context.Response.WriteAsync(new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = _version.ToString() },
            ["items"] = new JsonArray([.. items]),
        }.ToJsonString());
    }

    private async Task WriteAsync(HttpContext context, string path)
    {
        var body = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
        var target = context.Request.Method == "POST" ? $"{path}/{body.Object("metadata").Text("name")}" : path;
        var stored = Get(target);
        if (context.Request.Method == "PATCH")
        {
            foreach (var entry in body.Members("webhooks"))
                stored.Members("webhooks").First(w => w.Text("name") == entry.Text("name"))
                    .Require("clientConfig")["caBundle"] = entry.Object("clientConfig").Text("caBundle");
            Store(target, stored!.DeepClone().AsObject());
            Applied.Writer.TryWrite((target, body));
        }
        else if (body.Object("metadata").Text("resourceVersion") != stored.Object("metadata").Text("resourceVersion"))
        {
            context.Response.StatusCode = 409;
            return;
        }
        else
        {
            Store(target, body);
        }
        await context.Response.WriteAsync(Get(target)!.ToJsonString());
    }

    private async Task WatchAsync(HttpContext context)
    {
        var changes = Channel.CreateUnbounded<JsonObject>();
        _watches[changes] = true;
        await context.Response.StartAsync();
        await context.Response.Body.FlushAsync();
        await foreach (var change in changes.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync(change.ToJsonString() + "\n");
            await context.Response.Body.FlushAsync();
        }
    }
}
