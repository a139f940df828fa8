using System.Net;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>A non-blocking stream socket. Owns its descriptor.</summary>
internal sealed unsafe class SocketIoHandle : IIoHandle
{
    /// <summary>Segments sent in one call; more wait for the next round.</summary>
    private const int MaxVectors = 16;

    private readonly EndPoint? _target;
    private EventLoop? _loop;
    private IoRegistration? _registration;
    private ByteBuffer? _pushedBack;

    // An end or error seen while pushed-back bytes were delivered; it is the result of the next read.
    private nint? _deferred;

    /// <summary>Takes over an accepted socket.</summary>
    public SocketIoHandle(int fd) => FileDescriptor = fd;

    /// <summary>A socket that will connect to <paramref name="target"/>.</summary>
    public SocketIoHandle(EndPoint target)
    {
        _target = target;
        FileDescriptor = Libc.Socket(KernelAddress.Family(target),
            Constants.SockStream | Constants.SockNonBlock | Constants.SockCloexec, 0);
        if (FileDescriptor < 0)
        {
            throw new IOException($"Cannot make a socket for {target}: errno {Marshal.GetLastPInvokeError()}.");
        }
    }

    public int FileDescriptor { get; private set; }

    public nint Read(Span<byte> destination)
    {
        if (_pushedBack is not null)
        {
            return ReadPushedBack(destination);
        }
        if (_deferred is { } result)
        {
            _deferred = null;
            return result;
        }
        fixed (byte* buffer = destination)
        {
            nint count;
            do
            {
                count = Libc.Receive(FileDescriptor, buffer, destination.Length, 0);
            }
            while (count < 0 && Marshal.GetLastPInvokeError() == Constants.EIntr);
            return count >= 0 ? count : -Marshal.GetLastPInvokeError();
        }
    }

    public nint Write(ReadOnlySpan<byte> source)
    {
        fixed (byte* buffer = source)
        {
            nint count;
            do
            {
                count = Libc.Send(FileDescriptor, buffer, source.Length, Constants.MessageNoSignal);
            }
            while (count < 0 && Marshal.GetLastPInvokeError() == Constants.EIntr);
            return count >= 0 ? count : -Marshal.GetLastPInvokeError();
        }
    }

    public nint Write(ByteBuffer source)
    {
        if (source.IsContiguous)
        {
            return Write(source.FirstSpan);
        }
        var vectors = stackalloc Libc.IoVector[MaxVectors];
        var count = 0;
        foreach (var segment in source)
        {
            if (count == MaxVectors)
            {
                break;
            }
            // Segments are pinned arrays: the address stays good without a pin.
            vectors[count++] = new Libc.IoVector
            {
                Base = (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(segment.Span)),
                Length = segment.Length,
            };
        }
        var message = new Libc.MessageHeader { Vectors = vectors, VectorCount = count };
        nint sent;
        do
        {
            sent = Libc.SendMessage(FileDescriptor, &message, Constants.MessageNoSignal);
        }
        while (sent < 0 && Marshal.GetLastPInvokeError() == Constants.EIntr);
        return sent >= 0 ? sent : -Marshal.GetLastPInvokeError();
    }

    public void ShutdownWrite() => Libc.Shutdown(FileDescriptor, Constants.ShutdownWrite);

    public int Unacknowledged()
    {
        int bytes;
        return Libc.IoControl(FileDescriptor, Constants.SocketOutQueue, &bytes) == 0 ? bytes : 0;
    }

    public int TakeError()
    {
        int error;
        var length = sizeof(int);
        return Libc.GetSockOpt(FileDescriptor, Constants.SolSocket, Constants.SoError, &error, &length) == 0 ? error : 0;
    }

    public void Close(bool reset)
    {
        if (FileDescriptor < 0)
        {
            return;
        }
        // As the kernel does for bytes that nobody read (RFC 2525 2.17).
        if (reset || _pushedBack is { IsEmpty: false })
        {
            // struct linger { onoff = 1, linger = 0 }: close sends RST.
            var linger = stackalloc int[] { 1, 0 };
            Libc.SetSockOpt(FileDescriptor, Constants.SolSocket, Constants.SoLinger, linger, 8);
        }
        if (_registration is not null)
        {
            _loop!.Unregister(_registration);
            _registration = null;
        }
        Libc.Close(FileDescriptor);
        FileDescriptor = -1;
    }

    public void PushBack(ByteBuffer received)
    {
        _pushedBack ??= new ByteBuffer();
        _pushedBack.MoveFrom(received);
    }

    public void Attach(EventLoop loop, IIoEventHandler handler)
    {
        _loop = loop;
        if (_registration is null)
        {
            _registration = loop.Register(FileDescriptor, handler);
            if (_pushedBack is null)
            {
                return;
            }
        }
        // Edges that the previous handler consumed, and bytes pushed back, are told to the new one.
        _registration.Handler = handler;
        Activate(IoEvents.Read | IoEvents.Write);
    }

    public void Activate(IoEvents events)
    {
        if (_registration is not null)
        {
            _loop!.Activate(_registration, events);
        }
    }

    public int Connect()
    {
        var address = stackalloc byte[KernelAddress.MaxLength];
        var length = KernelAddress.Write(_target!, new Span<byte>(address, KernelAddress.MaxLength));
        return Libc.Connect(FileDescriptor, address, length) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    // Never less than asked while the socket may hold more: a short read tells callers that nothing is left for now.
    private nint ReadPushedBack(Span<byte> destination)
    {
        var count = (int)Math.Min(destination.Length, _pushedBack!.Length);
        _pushedBack.CopyTo(destination[..count]);
        _pushedBack.Drain(count);
        if (!_pushedBack.IsEmpty)
        {
            return count;
        }
        _pushedBack = null;
        if (count == destination.Length)
        {
            return count;
        }
        var more = Read(destination[count..]);
        if (more > 0)
        {
            return count + more;
        }
        if (more != -IIoHandle.Again)
        {
            _deferred = more;
            Activate(IoEvents.Read);
        }
        return count;
    }

    public void SetNoDelay(bool enable)
    {
        var value = enable ? 1 : 0;
        Libc.SetSockOpt(FileDescriptor, Constants.IpProtoTcp, Constants.TcpNoDelay, &value, sizeof(int));
    }
}
