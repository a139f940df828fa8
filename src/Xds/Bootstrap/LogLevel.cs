namespace MeshProxy.Xds.Bootstrap;

/// <summary>Levels of the process's own log, from most to nothing.</summary>
public enum LogLevel
{
    Trace,
    Debug,
    Info,
    Warning,
    Error,
    Critical,
    Off,
}
