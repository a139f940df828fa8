using System.Runtime.InteropServices;

namespace MeshProxy.Proxy.Security.Tls.Native;

/// <summary>Owns an SSL_CTX. Sessions in progress keep their own reference, so a replaced context ends with its last connection.</summary>
internal sealed class SslContextHandle : SafeHandle
{
    public SslContextHandle(nint context)
        : base(0, ownsHandle: true) => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    /// <summary>Good while the owner lives.</summary>
    public nint Value => handle;

    protected override bool ReleaseHandle()
    {
        LibSsl.SSL_CTX_free(handle);
        return true;
    }
}
