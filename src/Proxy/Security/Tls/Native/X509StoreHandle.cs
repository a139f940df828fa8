using System.Runtime.InteropServices;

namespace MeshProxy.Proxy.Security.Tls.Native;

/// <summary>Owns an X509_STORE: trust anchors and revocation lists.</summary>
internal sealed class X509StoreHandle : SafeHandle
{
    public X509StoreHandle()
        : base(0, ownsHandle: true) => SetHandle(LibCrypto.X509_STORE_new());

    public override bool IsInvalid => handle == 0;

    /// <summary>Good while the owner lives.</summary>
    public nint Value => handle;

    protected override bool ReleaseHandle()
    {
        LibCrypto.X509_STORE_free(handle);
        return true;
    }
}
