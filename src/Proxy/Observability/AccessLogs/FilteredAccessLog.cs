namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>A log that writes what its filter lets through.</summary>
internal sealed class FilteredAccessLog(IAccessLog log, IAccessLogFilter filter) : IAccessLog
{
    public void Log(in LogContext context)
    {
        if (filter.Evaluate(context))
        {
            log.Log(context);
        }
    }
}
