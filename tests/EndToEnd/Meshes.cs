using MeshProxy.Demo.Mesh;

namespace MeshProxy.EndToEnd;

/// <summary>The meshes that the tests run.</summary>
internal static class Meshes
{
    public const string Caller = "caller";
    public const string Stranger = "stranger";

    /// <summary>One service of each protocol with one pod each, a caller, and a stranger without a sidecar.</summary>
    public static MeshDescription OfEachProtocol(MutualTls mode = MutualTls.Strict)
    {
        var web = new Service("web", 8080, ServiceProtocol.Http, "10.96.0.11");
        var greeter = new Service("greeter", 9090, ServiceProtocol.Grpc, "10.96.0.12");
        var echo = new Service("echo", 7000, ServiceProtocol.Tcp, "10.96.0.13");
        var mail = new Service("mail", 2525, ServiceProtocol.ServerFirst, "10.96.0.14");
        return new MeshDescription
        {
            MutualTls = mode,
            Services = [web, greeter, echo, mail],
            Workloads =
            [
                new Workload(Caller, "10.42.0.10"),
                new Workload("web", "10.42.0.11", web),
                new Workload("greeter", "10.42.0.12", greeter),
                new Workload("echo", "10.42.0.13", echo),
                new Workload("mail", "10.42.0.14", mail),
                new Workload(Stranger, "10.42.0.40", HasSidecar: false),
            ],
        };
    }

    /// <summary>One HTTP service, two pods of v1 and one of v2, nine requests of ten to v1.</summary>
    public static MeshDescription WithTwoVersions()
    {
        var web = new Service("web", 8080, ServiceProtocol.Http, "10.96.0.11");
        return new MeshDescription
        {
            Services = [web],
            Workloads =
            [
                new Workload(Caller, "10.42.0.10"),
                new Workload("web-v1-a", "10.42.0.11", web),
                new Workload("web-v1-b", "10.42.0.12", web),
                new Workload("web-v2", "10.42.0.13", web, "v2"),
            ],
            Splits = new Dictionary<string, IReadOnlyDictionary<string, int>>
            {
                ["web"] = new Dictionary<string, int> { ["v1"] = 90, ["v2"] = 10 },
            },
        };
    }

    /// <summary>A mesh of applications alone, without any proxy: what the harness itself can do.</summary>
    public static MeshDescription WithoutSidecars()
    {
        var mesh = OfEachProtocol();
        return mesh with { Workloads = [.. mesh.Workloads.Select(w => w with { HasSidecar = false })] };
    }

    /// <summary>Starts one with the proxy under test.</summary>
    public static Task<RunningMesh> StartAsync(MeshDescription description) =>
        RunningMesh.StartAsync(description, MeshFactAttribute.Executable);
}
