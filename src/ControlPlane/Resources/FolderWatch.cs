namespace MeshProxy.ControlPlane.Resources;

/// <summary>Calls back, never twice at once, when a folder and what is below it has changed and settled.</summary>
internal sealed class FolderWatch : IDisposable
{
    // Editors and mounted ConfigMaps touch several files within milliseconds: one push for all of them.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(50);

    private readonly Lock _one = new();
    private readonly FileSystemWatcher _watcher;
    private readonly Timer _timer;
    private readonly Action _changed;

    /// <exception cref="IOException">The folder cannot be watched.</exception>
    public FolderWatch(string folder, Action changed)
    {
        _changed = changed;
        _timer = new Timer(_ => CallBack());
        _watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true };
        _watcher.Changed += Schedule;
        _watcher.Created += Schedule;
        _watcher.Renamed += Schedule;
        _watcher.Deleted += Schedule;
        // Events were lost: what is there now still counts.
        _watcher.Error += (_, _) => Schedule();
        _watcher.EnableRaisingEvents = true;
    }

    public void Dispose()
    {
        _watcher.Dispose();
        _timer.Dispose();
    }

    private void Schedule(object sender, FileSystemEventArgs change) => Schedule();

    private void Schedule() => _timer.Change(Settle, Timeout.InfiniteTimeSpan);

    private void CallBack()
    {
        lock (_one)
        {
            _changed();
        }
    }
}
