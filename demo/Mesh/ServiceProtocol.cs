namespace MeshProxy.Demo.Mesh;

/// <summary>What a service speaks, as its port's name would declare it to istiod.</summary>
public enum ServiceProtocol
{
    /// <summary>HTTP/1.1: answers with its version and the identity of the caller.</summary>
    Http,

    /// <summary>gRPC over HTTP/2 without TLS of its own: an echo.</summary>
    Grpc,

    /// <summary>Plain TCP where the client speaks first: an echo.</summary>
    Tcp,

    /// <summary>Plain TCP where the server speaks first, as SMTP and MySQL do: a greeting, then an echo.</summary>
    ServerFirst,
}
