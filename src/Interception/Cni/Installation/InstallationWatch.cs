namespace MeshProxy.Interception.Cni.Installation;

/// <summary>
/// Keeps the plugin installed while others write to the same directories: they rewrite their configuration when they
/// restart, and then our entry is gone. Reacts to changes of files, and looks now and then in case one was missed.
/// </summary>
public sealed class InstallationWatch(Installer installer, InstallerSettings settings, Action<string> note)
{
    /// <summary>Longest time between two looks.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(10);

    // Writers often write more than once; between two of our own rewrites this much passes.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(1);

    // So many rewrites in a row mean that another writer undoes ours.
    private const int Fight = 5;

    /// <summary>Works until cancelled, then removes the plugin unless it is to be kept.</summary>
    public void Run(CancellationToken stop)
    {
        using var changed = new AutoResetEvent(true);
        var watchers = Watch(changed);
        var rewrites = 0;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var acted = Repair();
                rewrites = acted ? rewrites + 1 : 0;
                if (rewrites == Fight)
                    note("The network configuration keeps losing the plugin: another program rewrites it (with Cilium "
                        + "set cni.exclusive=false).");
                if (acted)
                    stop.WaitHandle.WaitOne(rewrites >= Fight ? LongPause : Pause);
                WaitHandle.WaitAny([stop.WaitHandle, changed], Period);
            }
        }
        finally
        {
            watchers.ForEach(w => w.Dispose());
        }
        if (!settings.Keep)
            installer.Uninstall();
    }

    // True if something had to be put in place. Failures are tried again: the node's disk may be read-only for a while.
    private bool Repair()
    {
        try
        {
            return !installer.IsInstalled() && installer.Install();
        }
        catch (InterceptionException e)
        {
            note(e.Message);
            return false;
        }
    }

    private List<FileSystemWatcher> Watch(AutoResetEvent changed)
    {
        string[] directories = settings.UsesKubernetes
            ? [settings.ConfigurationDirectory, settings.BinaryDirectory, settings.ServiceAccountDirectory]
            : [settings.ConfigurationDirectory, settings.BinaryDirectory];
        var watchers = new List<FileSystemWatcher>();
        foreach (var directory in directories.Where(Directory.Exists))
        {
            var watcher = new FileSystemWatcher(directory);
            watcher.Changed += (_, _) => changed.Set();
            watcher.Created += (_, _) => changed.Set();
            watcher.Deleted += (_, _) => changed.Set();
            watcher.Renamed += (_, _) => changed.Set();
            watcher.EnableRaisingEvents = true;
            watchers.Add(watcher);
        }
        return watchers;
    }
}
