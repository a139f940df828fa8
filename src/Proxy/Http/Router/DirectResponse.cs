namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.DirectResponseAction.</summary>
internal sealed record DirectResponse(int Status, byte[] Body, LocalReplyFormat? Format);
