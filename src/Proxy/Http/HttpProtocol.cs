namespace MeshProxy.Proxy.Http;

/// <summary>`%PROTOCOL%`: HTTP/1.0, HTTP/1.1, HTTP/2.</summary>
public enum HttpProtocol
{
    Http10,
    Http11,
    Http2,
}
