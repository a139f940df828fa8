namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>When a loop's entries are sent: each interval, or once they are as large as this.</summary>
/// <param name="Interval">buffer_flush_interval.</param>
/// <param name="MaxBytes">buffer_size_bytes; 0 sends each entry by itself.</param>
internal readonly record struct BatchSettings(TimeSpan Interval, uint MaxBytes)
{
    /// <summary>Envoy's default of buffer_size_bytes.</summary>
    private const uint DefaultBytes = 16384;

    /// <summary>Bytes that wait at most while they cannot be sent.</summary>
    public uint Capacity => MaxBytes > 0 ? MaxBytes : DefaultBytes;

    public static BatchSettings Of(TimeSpan? interval, uint? bytes) =>
        new(interval ?? TimeSpan.FromSeconds(1), bytes ?? DefaultBytes);
}
