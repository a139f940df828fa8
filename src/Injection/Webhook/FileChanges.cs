namespace MeshProxy.Injection.Webhook;

/// <summary>Calls back, once things have settled, when one of some mounted files may have changed.</summary>
internal sealed class FileChanges : IDisposable
{
    // Updating a mounted ConfigMap or Secret touches several links within milliseconds.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(100);

    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly Timer _timer;

    public FileChanges(IEnumerable<string> files, Action changed)
    {
        _timer = new Timer(_ => changed());
        // The folders, not the files: a mount is updated by replacing a link beside the file.
        foreach (var folder in files.Select(Folder).Distinct(StringComparer.Ordinal))
            _watchers.Add(Watch(folder));
    }

    public void Dispose()
    {
        foreach (var watcher in _watchers)
            watcher.Dispose();
        _timer.Dispose();
    }

    private static string Folder(string file) => Path.GetDirectoryName(Path.GetFullPath(file))!;

    private FileSystemWatcher Watch(string folder)
    {
        var watcher = new FileSystemWatcher(folder);
        watcher.Changed += Schedule;
        watcher.Created += Schedule;
        watcher.Renamed += Schedule;
        watcher.Deleted += Schedule;
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    private void Schedule(object sender, FileSystemEventArgs change) => _timer.Change(Settle, Timeout.InfiniteTimeSpan);
}
