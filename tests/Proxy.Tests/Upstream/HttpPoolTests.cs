using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Cluster.V3;
using MeshProxy.Proxy.Upstream;
using Xunit;

namespace MeshProxy.Proxy.Tests.Upstream;

public sealed class HttpPoolTests : IDisposable
{
    private readonly UpstreamFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void RoundRobinTakesHostsInTurn()
    {
        var cluster = _fixture.Add(UpstreamFixture.StaticCluster("c", _fixture.ListenHttp("a"), _fixture.ListenHttp("b")));
        var seen = Enumerable.Range(0, 4).Select(_ => _fixture.Send(cluster).Await()).ToArray();
        Assert.Equal(seen[0], seen[2]);
        Assert.Equal(seen[1], seen[3]);
        Assert.NotEqual(seen[0], seen[1]);
        Assert.Equal(2, _fixture.Stat(cluster, ClusterStat.UpstreamCxTotal));
        Assert.Equal(4, _fixture.Stat(cluster, ClusterStat.UpstreamRqTotal));
    }

    [Fact]
    public void AConnectionIsReused()
    {
        var cluster = _fixture.Add(UpstreamFixture.StaticCluster("c", _fixture.ListenHttp("a")));
        Assert.Equal("200 a", _fixture.Send(cluster).Await());
        var second = _fixture.Send(cluster);
        Assert.Equal("200 a", second.Await());
        Assert.Equal(2, second.Upstream!.NumStreams);
        Assert.Equal(1, _fixture.Stat(cluster, ClusterStat.UpstreamCxTotal));
        Assert.Equal(0, _fixture.Stat(cluster, ClusterStat.UpstreamRqActive));
    }

    [Fact]
    public void ARefusedConnectFailsTheRequest()
    {
        var cluster = _fixture.Add(UpstreamFixture.StaticCluster("c", UnusedPort()));
        Assert.Equal("RemoteConnectionFailure", _fixture.Send(cluster).Await());
        Assert.Equal(1, _fixture.Stat(cluster, ClusterStat.UpstreamCxConnectFail));
        Assert.Equal(1, _fixture.Stat(cluster, ClusterStat.UpstreamRqPendingFailureEject));
        Assert.Equal(0, _fixture.Stat(cluster, ClusterStat.UpstreamCxActive));
    }

    [Fact]
    public void AConnectionThatIsToCloseIsNotReused()
    {
        var port = _fixture.Listen(stream =>
        {
            UpstreamFixture.ReadHead(stream);
            stream.Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"u8);
            UpstreamFixture.ReadHead(stream);
        });
        var cluster = _fixture.Add(UpstreamFixture.StaticCluster("c", port));
        Assert.Equal("200", _fixture.Send(cluster).Await());
        Assert.Equal("200", _fixture.Send(cluster).Await());
        Assert.Equal(2, _fixture.Stat(cluster, ClusterStat.UpstreamCxTotal));
        Assert.Equal(2, _fixture.Stat(cluster, ClusterStat.UpstreamCxCloseNotify));
    }

    [Fact]
    public void ARequestBeyondThePendingLimitOverflows()
    {
        var release = new ManualResetEventSlim();
        var port = _fixture.Listen(stream =>
        {
            UpstreamFixture.ReadHead(stream);
            release.Wait();
            stream.Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"u8);
            UpstreamFixture.ReadHead(stream);
        });
        var definition = UpstreamFixture.StaticCluster("c", port);
        var threshold = CircuitBreakers.Thresholds.New();
        threshold.MaxConnections = 1;
        threshold.MaxPendingRequests = 1;
        var breakers = CircuitBreakers.New();
        breakers.ThresholdsValue.Add(threshold);
        definition.CircuitBreakers = breakers;
        var cluster = _fixture.Add(definition);

        var requests = _fixture.OnLoop(() =>
        {
            var first = new Request();
            first.Start(cluster);
            var second = new Request();
            second.Start(cluster);
            return (first, second);
        });
        Assert.Equal("Overflow", requests.second.Await());
        release.Set();
        Assert.Equal("200", requests.first.Await());
        Assert.Equal(1, _fixture.Stat(cluster, ClusterStat.UpstreamRqPendingOverflow));
    }

    [Fact]
    public void ACloseWithoutAnswerResetsTheStream()
    {
        var port = _fixture.Listen(static stream => UpstreamFixture.ReadHead(stream));
        var cluster = _fixture.Add(UpstreamFixture.StaticCluster("c", port));
        Assert.Equal("ConnectionTermination", _fixture.Send(cluster).Await());
        Assert.Equal(1, _fixture.Stat(cluster, ClusterStat.UpstreamCxDestroyRemoteWithActiveRq));
        Assert.Equal(0, _fixture.Stat(cluster, ClusterStat.UpstreamRqActive));
    }

    [Fact]
    public void ARemovedClusterIsGone()
    {
        var cluster = _fixture.Add(UpstreamFixture.StaticCluster("c", _fixture.ListenHttp("a")));
        Assert.Equal("200 a", _fixture.Send(cluster).Await());
        Assert.True(_fixture.OnLoop(() => _fixture.Manager.Remove("c")));
        Assert.Null(_fixture.Manager.Get("c"));
        Assert.True(cluster.Removed);
    }

    [Fact]
    public void NothingToChooseGivesNoHost()
    {
        var cluster = _fixture.Add(UpstreamFixture.StaticCluster("c"));
        Assert.Equal("no host", _fixture.Send(cluster).Await());
        Assert.Equal(1, _fixture.Stat(cluster, ClusterStat.UpstreamCxNoneHealthy));
    }

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
