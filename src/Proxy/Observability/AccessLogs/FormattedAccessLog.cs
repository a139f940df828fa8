using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>An access log that formats a line into a file, or to standard output or error.</summary>
internal sealed class FormattedAccessLog(IAccessLogFile file, IFormatter formatter) : IAccessLog
{
    public void Log(in LogContext context)
    {
        var line = ByteWriter.Rent();
        formatter.Format(context, line);
        file.Write(line.Written);
        ByteWriter.Return(line);
    }
}
