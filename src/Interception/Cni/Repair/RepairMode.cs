namespace MeshProxy.Interception.Cni.Repair;

/// <summary>What is done about a pod that started before the plugin was there.</summary>
public enum RepairMode
{
    /// <summary>Set up its rules now.</summary>
    Repair,

    /// <summary>Delete it, so that its controller makes another.</summary>
    Delete,

    /// <summary>Label it, for somebody else to deal with.</summary>
    Label,
}
