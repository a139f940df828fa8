namespace MeshProxy.Xds.Bootstrap;

/// <summary>What a command line asks for.</summary>
public enum RunIntent
{
    Run,
    ShowHelp,
    ShowVersion,
}
