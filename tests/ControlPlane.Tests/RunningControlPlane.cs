using System.Collections.Concurrent;
using System.Net;

namespace MeshProxy.ControlPlane.Tests;

/// <summary>A control plane over a folder of its own.</summary>
internal sealed class RunningControlPlane : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("control-plane");
    private readonly Log _log = new();
    private ControlPlaneService? _service;

    public string Folder => _folder.FullName;

    public Uri Address => new(_service!.Addresses.Single());

    public string Logged => string.Join('\n', _log.Lines);

    public async Task StartAsync(Func<ControlPlaneOptions, ControlPlaneOptions>? change = null)
    {
        var options = new ControlPlaneOptions { Directory = Folder, Listen = new IPEndPoint(IPAddress.Loopback, 0) };
        _service = new ControlPlaneService(change?.Invoke(options) ?? options, _log.Add);
        await _service.StartAsync();
    }

    /// <summary>Replaces a file as the demo does: by renaming.</summary>
    public void Put(string file, string text)
    {
        var path = Path.Combine(Folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }

    public Task LoggedAsync(string part) => _log.WaitForAsync(part);

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
        {
            await _service.StopAsync();
            await _service.DisposeAsync();
        }
        _folder.Delete(recursive: true);
    }

    private sealed class Log
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

        private readonly ConcurrentDictionary<string, TaskCompletionSource> _awaited = new();

        public ConcurrentQueue<string> Lines { get; } = new();

        public void Add(string line)
        {
            Lines.Enqueue(line);
            Release();
        }

        public Task WaitForAsync(string part)
        {
            var source = _awaited.GetOrAdd(part, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
            Release();
            return source.Task.WaitAsync(Patience);
        }

        private void Release()
        {
            foreach (var (part, source) in _awaited)
            {
                if (Lines.Any(line => line.Contains(part, StringComparison.Ordinal)))
                    source.TrySetResult();
            }
        }
    }
}
