namespace MeshProxy.Xds.Bootstrap;

/// <summary>A bootstrap that keeps the rules of its interface.</summary>
/// <param name="Bootstrap">The file with the text of the command line merged over it.</param>
/// <param name="UnknownFields">Paths of fields that were left out, because unknown ones are allowed.</param>
/// <param name="DeprecatedFields">Paths of set fields that the interface declares deprecated.</param>
public sealed record LoadedBootstrap(
    Envoy.Config.Bootstrap.V3.Bootstrap Bootstrap,
    IReadOnlyList<string> UnknownFields,
    IReadOnlyList<string> DeprecatedFields);
