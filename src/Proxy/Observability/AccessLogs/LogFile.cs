using System.Runtime.InteropServices;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Transport.Native;
using Microsoft.Win32.SafeHandles;

namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>
/// One log file. A loop takes its own buffer, appends and puts it back; the writer takes whole buffers. Nobody waits for
/// another, and the lines of a loop stay in order.
/// </summary>
internal sealed class LogFile : IAccessLogFile, IThreadPoolWorkItem, IDisposable
{
    // Per loop: beyond this the disk is stuck, and lines are dropped and counted rather than the process grown without bound.
    private const int MaxBuffered = 16 * 1024 * 1024;

    private readonly string _path;
    private readonly int _flushBytes;
    private readonly LogFileStats _stats;
    private readonly LineBuffer?[] _buffers;
    private readonly Lock _fileLock = new();
    private readonly Lock _sharedLock = new();
    private SafeFileHandle _handle;
    private volatile bool _reopen;
    private volatile bool _began;
    private int _scheduled;

    public LogFile(string path, int loopCount, int flushBytes, LogFileStats stats)
    {
        _path = path;
        _flushBytes = flushBytes;
        _stats = stats;
        _buffers = new LineBuffer?[loopCount + 1];
        _handle = OpenHandle(path) ?? throw new ConfigurationException(
            $"The access log '{path}' cannot be opened ({Marshal.GetLastPInvokeErrorMessage()}); create its folder or correct the path.");
    }

    public void Write(ReadOnlySpan<byte> line)
    {
        var loop = EventLoop.Current;
        if (loop is not null && loop.Index < _buffers.Length - 1)
        {
            Append(ref _buffers[loop.Index], line);
            return;
        }
        lock (_sharedLock)
        {
            Append(ref _buffers[^1], line);
        }
    }

    public void Reopen()
    {
        _reopen = true;
        Schedule();
    }

    public void FlushByTimer()
    {
        if (Pending() == 0)
        {
            return;
        }
        _stats.FlushedByTimer.Inc();
        Schedule();
    }

    public void Flush()
    {
        lock (_fileLock)
        {
            if (_reopen)
            {
                ReopenHandle();
            }
            for (var i = 0; i < _buffers.Length; i++)
            {
                if (Interlocked.Exchange(ref _buffers[i], null) is { } buffer)
                {
                    WriteOut(buffer);
                    buffer.Clear();
                    Interlocked.CompareExchange(ref _buffers[i], buffer, null);
                }
            }
        }
    }

    public void Dispose() => _handle.Dispose();

    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _scheduled, 0);
        Flush();
    }

    private static SafeFileHandle? OpenHandle(string path)
    {
        // The names may be no files at all (pipes, sockets): the descriptor itself always works.
        var number = path switch
        {
            "/dev/stdout" => 1,
            "/dev/stderr" => 2,
            _ => -1,
        };
        if (number >= 0)
        {
            return new SafeFileHandle(number, ownsHandle: false);
        }
        // Appending by the kernel: a rotated or shared file is never overwritten. 0644 as Envoy creates them.
        var descriptor = Libc.Open(path, Constants.OpenWriteOnly | Constants.OpenCreate | Constants.OpenAppend | Constants.OpenCloexec, 0x1A4);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private void Append(ref LineBuffer? place, ReadOnlySpan<byte> line)
    {
        var buffer = Interlocked.Exchange(ref place, null) ?? new LineBuffer();
        if (buffer.Length + line.Length > MaxBuffered)
        {
            _stats.WriteFailed.Inc();
        }
        else
        {
            buffer.Append(line);
            _stats.WriteBuffered.Inc();
            _stats.WriteTotalBuffered.Add(line.Length);
        }
        var flush = buffer.Length >= _flushBytes || !_began;
        Volatile.Write(ref place, buffer);
        if (flush)
        {
            _began = true;
            Schedule();
        }
    }

    private int Pending()
    {
        var total = 0;
        foreach (ref var place in _buffers.AsSpan())
        {
            total += Volatile.Read(ref place)?.Length ?? 0;
        }
        return total;
    }

    private void Schedule()
    {
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void ReopenHandle()
    {
        _reopen = false;
        if (OpenHandle(_path) is not { } handle)
        {
            // Writing goes on into the old file; the next reopening tries again.
            _stats.ReopenFailed.Inc();
            return;
        }
        _handle.Dispose();
        _handle = handle;
    }

    private void WriteOut(LineBuffer buffer)
    {
        if (buffer.Length == 0)
        {
            return;
        }
        _stats.WriteTotalBuffered.Add(-buffer.Length);
        (WriteAll(buffer.Written) ? _stats.WriteCompleted : _stats.WriteFailed).Inc();
    }

    // Not FileStream, nor RandomAccess: the descriptor may be a pipe or a terminal, and a file is appended to by the kernel.
    private unsafe bool WriteAll(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (nint written = 0; written < bytes.Length;)
            {
                var count = Libc.Write((int)_handle.DangerousGetHandle(), start + written, bytes.Length - written);
                if (count >= 0)
                {
                    written += count;
                }
                else if (Marshal.GetLastPInvokeError() is not (Constants.EIntr or Constants.EAgain))
                {
                    return false;
                }
                else
                {
                    // Standard output may have been made non-blocking by who reads it; this is the writer's own thread.
                    Thread.Sleep(1);
                }
            }
        }
        return true;
    }
}
