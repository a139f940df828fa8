using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Story;

/// <summary>The mesh of the demo: a shop front that calls a service of reviews, in the middle of a release.</summary>
internal static class ShopMesh
{
    public const string Caller = "web";
    public const string Guest = "guest";
    public const string Stranger = "stranger";
    public const string Service = "reviews";
    public const string Doomed = "reviews-v1-b";

    /// <summary>The mesh as it starts: strict mutual TLS, nine requests of ten to v1, everybody may call.</summary>
    public static MeshDescription Build(TrafficCapture capture)
    {
        var web = new Service("web", 8080, ServiceProtocol.Http, "10.96.0.10");
        var reviews = new Service(Service, 9080, ServiceProtocol.Http, "10.96.0.11");
        string Address(int pod) => capture == TrafficCapture.Redirect ? $"10.42.0.{pod}" : $"127.0.42.{pod}";
        return new MeshDescription
        {
            Capture = capture,
            Services = [web, reviews],
            Workloads =
            [
                new Workload(Caller, Address(10), web),
                new Workload("reviews-v1-a", Address(21), reviews),
                new Workload(Doomed, Address(22), reviews),
                new Workload("reviews-v2", Address(23), reviews, "v2"),
                new Workload(Guest, Address(30)),
                new Workload(Stranger, Address(40), HasSidecar: false),
            ],
            Splits = new Dictionary<string, IReadOnlyDictionary<string, int>>
            {
                [Service] = new Dictionary<string, int> { ["v1"] = 90, ["v2"] = 10 },
            },
        };
    }
}
