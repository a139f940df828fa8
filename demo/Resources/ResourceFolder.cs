using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Resources;

/// <summary>
/// The folder that `meshproxy control-plane --dir` serves: one folder per node, named by the node's id, with a
/// discovery response per type in cds.json, eds.json, lds.json and rds.json.
/// </summary>
public static class ResourceFolder
{
    /// <summary>Writes what each sidecar of the mesh gets; a file that did not change is not touched.</summary>
    public static void Write(MeshDescription mesh, string folder)
    {
        var endpoints = EndpointResources.Build(mesh);
        var routes = RouteResources.Build(mesh);
        foreach (var workload in mesh.Workloads.Where(w => w.HasSidecar))
        {
            var node = Path.Combine(folder, workload.NodeId);
            Directory.CreateDirectory(node);
            Replace(Path.Combine(node, "cds.json"), ClusterResources.Build(mesh, workload));
            Replace(Path.Combine(node, "eds.json"), endpoints);
            Replace(Path.Combine(node, "lds.json"), ListenerResources.Build(mesh, workload));
            Replace(Path.Combine(node, "rds.json"), routes);
        }
    }

    // By renaming, so that the control plane never reads half a file.
    private static void Replace(string file, string text)
    {
        if (File.Exists(file) && File.ReadAllText(file) == text) return;
        var fresh = file + ".new";
        File.WriteAllText(fresh, text);
        File.Move(fresh, file, overwrite: true);
    }
}
