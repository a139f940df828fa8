using MeshProxy.Proxy.Observability.Statistics;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Statistics;

public class TagProducerTests
{
    [Theory]
    [InlineData("cluster.c1.upstream_rq_200", "cluster.upstream_rq", "envoy.response_code=200,envoy.cluster_name=c1")]
    [InlineData("cluster.c1.upstream_rq_2xx", "cluster.upstream_rq_xx", "envoy.response_code_class=2,envoy.cluster_name=c1")]
    [InlineData("listener.127.0.0.1_80.http.in.downstream_rq_2xx", "listener.http.downstream_rq_xx",
        "envoy.response_code_class=2,envoy.http_conn_manager_prefix=in,envoy.listener_address=127.0.0.1_80")]
    [InlineData("listener.[__]_80.worker_0.downstream_cx_total", "listener.worker_downstream_cx_total",
        "envoy.worker_id=0,envoy.listener_address=[__]_80")]
    [InlineData("listener.admin.downstream_cx_total", "listener.admin.downstream_cx_total", "")]
    [InlineData("http.pre.x.downstream_rq_total", "http.x.downstream_rq_total", "envoy.http_conn_manager_prefix=pre")]
    [InlineData("vhost.all.route.the.upstream_rq_total", "vhost.route.upstream_rq_total",
        "envoy.virtual_host=all,envoy.route=the")]
    [InlineData("listener.0.0.0.0_443.ssl.ciphers.TLS_AES_128_GCM_SHA256", "listener.ssl.ciphers",
        "envoy.ssl_cipher=TLS_AES_128_GCM_SHA256,envoy.listener_address=0.0.0.0_443")]
    [InlineData("http.in.rds.local.update_success", "http.rds.update_success",
        "envoy.http_conn_manager_prefix=in,envoy.rds_route_config=local")]
    [InlineData("server.live", "server.live", "")]
    public void DefaultExtractorsFindTheirTags(string name, string extracted, string tags)
    {
        var found = new List<KeyValuePair<string, string>>();

        Assert.Equal(extracted, new TagProducer(DefaultTags.All, []).Extract(name, found));

        Assert.Equal(tags, string.Join(',', found.Select(tag => $"{tag.Key}={tag.Value}")));
    }

    [Theory]
    [InlineData("^cluster(\\.(.+);)", "cluster.outbound|80||a.b;.upstream_rq_total", "outbound|80||a.b", "cluster.upstream_rq_total")]
    [InlineData("^listener(?=\\.).*?\\.http\\.(((?:[_.[:digit:]]*))\\.)", "listener.1.2.3.4_80.http.0.0.0.0_80.x", "0.0.0.0_80",
        "listener.1.2.3.4_80.http.x")]
    public void IstiosExpressionsAreUnderstood(string pattern, string name, string value, string extracted)
    {
        var found = new List<KeyValuePair<string, string>>();
        var producer = new TagProducer([new RegexTagExtractor("t", pattern)], [new("fixed", "f")]);

        Assert.Equal(extracted, producer.Extract(name, found));
        Assert.Equal([new("fixed", "f"), new("t", value)], found);
    }

    [Fact]
    public void TwoTagsMayTakeTheSameText()
    {
        var found = new List<KeyValuePair<string, string>>();
        var producer = new TagProducer([new RegexTagExtractor("a", "_rq(_(\\d)xx)$"), new RegexTagExtractor("b", "_rq_((\\d))xx$")], []);

        Assert.Equal("c.upstream_rq", producer.Extract("c.upstream_rq_2xx", found));
        Assert.Equal([new("a", "2"), new("b", "2")], found);
    }
}
