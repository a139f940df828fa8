using System.Runtime.InteropServices;

namespace MeshProxy.Interception.Host;

/// <summary>
/// Why a file could not be used, in the system's words. The executable is published without the runtime's own messages,
/// so an exception's text would be a resource's name.
/// </summary>
internal static class FailureReason
{
    public static string Of(Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException => "permission denied",
        // On Unix an I/O exception carries errno.
        IOException { HResult: > 0 } e => Marshal.GetPInvokeErrorMessage(e.HResult),
        _ => exception.Message,
    };
}
