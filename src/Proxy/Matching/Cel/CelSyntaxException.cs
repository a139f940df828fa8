namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>A CEL text that cannot be read.</summary>
internal sealed class CelSyntaxException(string message, int position) : Exception(message)
{
    public int Position => position;
}
