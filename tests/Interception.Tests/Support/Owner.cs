using System.Runtime.InteropServices;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>
/// Makes sockets that belong to another user: rules see the file-system IDs of the thread that created the socket, and
/// those are per thread.
/// </summary>
internal static partial class Owner
{
    public const uint Proxy = 1337;

    public static T As<T>(uint id, Func<T> create) => As(id, id, create);

    public static T As<T>(uint user, uint group, Func<T> create)
    {
        _ = SetGroup(group);
        _ = SetUser(user);
        try
        {
            return create();
        }
        finally
        {
            _ = SetUser(0);
            _ = SetGroup(0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetUser(uint id);

    [LibraryImport("libc", EntryPoint = "setfsgid")]
    private static partial int SetGroup(uint id);
}
