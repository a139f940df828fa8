using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Configuration.Files;

/// <summary>
/// Tells when something is moved into a directory (inotify IN_MOVED_TO): the way Kubernetes swaps mounted volumes and files
/// are replaced whole. A write in place is not noticed, as with Envoy, because it may be half done. Main loop only.
/// </summary>
public sealed unsafe class FileWatcher : IIoEventHandler, IDisposable
{
    private const uint MovedTo = 0x80;
    private const int EventHeader = 16;
    private const int BufferSize = 4096;

    private readonly EventLoop _loop;
    private readonly Dictionary<int, List<Watch>> _watches = [];
    private readonly Dictionary<string, int> _byDirectory = new(StringComparer.Ordinal);
    private int _fd = -1;
    private IoRegistration? _registration;

    public FileWatcher(EventLoop loop) => _loop = loop;

    /// <summary>Follows a file: <paramref name="onMoved"/> runs when a file of its name is moved into its directory. Dispose to end.</summary>
    public IDisposable WatchFile(string path, Action onMoved)
    {
        var full = Path.GetFullPath(path);
        return Add(Path.GetDirectoryName(full) ?? "/", Path.GetFileName(full), onMoved);
    }

    /// <summary>Follows a directory: anything moved into it counts.</summary>
    public IDisposable WatchDirectory(string path, Action onMoved) => Add(Path.GetFullPath(path), null, onMoved);

    public void Dispose()
    {
        if (_registration is not null)
        {
            _loop.Unregister(_registration);
            Libc.Close(_fd);
            _registration = null;
        }
    }

    void IIoEventHandler.OnFault(Exception fault)
    {
    }

    void IIoEventHandler.OnIoEvents(IoEvents events)
    {
        var buffer = stackalloc byte[BufferSize];
        nint count;
        while ((count = Libc.Read(_fd, buffer, BufferSize)) > 0)
        {
            var rest = new ReadOnlySpan<byte>(buffer, (int)count);
            while (rest.Length >= EventHeader)
            {
                var watch = BinaryPrimitives.ReadInt32LittleEndian(rest);
                var nameLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(rest[12..]);
                var name = Encoding.UTF8.GetString(rest.Slice(EventHeader, nameLength).TrimEnd((byte)0));
                rest = rest[(EventHeader + nameLength)..];
                Notify(watch, name);
            }
        }
    }

    private void Notify(int descriptor, string name)
    {
        if (!_watches.TryGetValue(descriptor, out var watches))
        {
            return;
        }
        foreach (var watch in watches.ToArray())
        {
            if (!watch.Ended && (watch.Name is null || watch.Name == name))
            {
                watch.OnMoved();
            }
        }
    }

    private Watch Add(string directory, string? name, Action onMoved)
    {
        EnsureOpen();
        if (!_byDirectory.TryGetValue(directory, out var descriptor))
        {
            descriptor = Libc.INotifyAddWatch(_fd, directory, MovedTo);
            if (descriptor < 0)
            {
                throw new ConfigurationException(
                    $"unable to add filesystem watch for file {directory}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
            }
            _byDirectory[directory] = descriptor;
        }
        var watch = new Watch(name, onMoved);
        if (!_watches.TryGetValue(descriptor, out var list))
        {
            _watches[descriptor] = list = [];
        }
        list.Add(watch);
        watch.OnEnd = () => list.Remove(watch);
        return watch;
    }

    private void EnsureOpen()
    {
        if (_fd >= 0)
        {
            return;
        }
        _fd = Libc.INotifyInit(Constants.SockNonBlock | Constants.SockCloexec);
        if (_fd < 0)
        {
            throw new ConfigurationException(
                $"unable to watch files: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}; raise fs.inotify.max_user_instances.");
        }
        _registration = _loop.Register(_fd, this, readOnly: true);
    }

    private sealed class Watch(string? name, Action onMoved) : IDisposable
    {
        public string? Name { get; } = name;

        public Action OnMoved { get; } = onMoved;

        public Action? OnEnd { get; set; }

        public bool Ended { get; private set; }

        public void Dispose()
        {
            Ended = true;
            OnEnd?.Invoke();
            OnEnd = null;
        }
    }
}
