namespace MeshProxy.Proxy.Transport;

/// <summary>A descriptor watched by a loop. Slots are reused; the generation tells a late event of the previous owner.</summary>
internal sealed class IoRegistration(int slot)
{
    public int Slot { get; } = slot;

    public int Generation { get; set; }

    public int FileDescriptor { get; set; } = -1;

    public IIoEventHandler? Handler { get; set; }

    /// <summary>Events activated and not yet delivered.</summary>
    public IoEvents Pending { get; set; }

    /// <summary>What epoll hands back: slot in the low 31 bits, generation above; never negative.</summary>
    public long Token => (uint)Slot | ((long)(Generation & 0x7fffffff) << 32);
}
