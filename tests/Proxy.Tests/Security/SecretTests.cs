using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Security.Secrets;
using MeshProxy.Proxy.Tests.Transport;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Security;

/// <summary>Secrets that come, change, are wrong, or never come.</summary>
public sealed class SecretTests : IDisposable
{
    private const string Downstream =
        "common_tls_context: { tls_certificate_sds_secret_configs: [ { name: cert, sds_config: { ads: {} } } ] }";

    private readonly LoopFixture _fixture = new();
    private readonly TestPki _pki = new();
    private readonly Source _source = new();
    private readonly SecretManager _manager;

    public SecretTests() => _manager = new SecretManager(
        () => _source, new FileWatcher(_fixture.Loop), new StatsStore(2).Root);

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Nobody_gets_in_before_the_secret_and_everybody_after()
    {
        var pair = Pair();
        Assert.False(pair.Server.IsReady);
        var early = pair.Connect();
        Assert.Equal("RemoteClose", TlsPair.Event(early.ServerRecorder));
        Assert.Equal("TLS error: Secret is not supplied by SDS", early.Server.TransportFailureReason);

        Send(_pki.Issue("O=first"));
        var late = pair.Connect();
        Assert.Equal("Connected", TlsPair.Event(late.ServerRecorder));
        Assert.Equal("O=first", late.Client.Tls!.SubjectPeerCertificate);
    }

    [Fact]
    public void A_new_version_is_shown_to_new_connections_and_a_wrong_one_is_refused()
    {
        var pair = Pair();
        var first = _pki.Issue("O=first");
        Send(first);
        Send(_pki.Issue("O=second"));
        Assert.Equal("O=second", Shown(pair));

        Assert.Throws<ConfigurationException>(() => Send((first.Certificate, _pki.Issue("O=third").Key)));
        Assert.Throws<ConfigurationException>(() => _source.Push([]));
        Assert.Throws<ConfigurationException>(() => _source.Push([_source.Wrap("another", Yaml(first))]));
        Assert.Equal("O=second", Shown(pair));
        Assert.Equal(2, pair.ServerStats.Stat("server_ssl_socket_factory.ssl_context_update_by_sds"));
    }

    [Fact]
    public void Warming_waits_for_the_answer_whatever_it_is()
    {
        var pair = Pair();
        var ready = false;
        pair.ServerStats.Init.Initialize(() => ready = true);
        Assert.False(ready);
        _source.Callbacks!.OnConfigUpdateFailed("timeout", true);
        Assert.True(ready);
        Assert.False(pair.Server.IsReady);
    }

    [Fact]
    public void The_last_user_ends_the_subscription()
    {
        var pair = Pair();
        var other = Pair();
        ((IDisposable)pair.Server).Dispose();
        Assert.False(_source.Ended);
        ((IDisposable)other.Server).Dispose();
        Assert.True(_source.Ended);
        Assert.Empty(_manager.Discovered);
    }

    private TlsPair Pair() => new(_fixture.Loop, Downstream, "sni: x", _manager);

    private void Send((string Certificate, string Key) pair) => _source.Push([_source.Wrap("cert", Yaml(pair))]);

    private static string Yaml((string Certificate, string Key) pair) => $"tls_certificate: {TlsPair.Certificate(pair)}";

    private static string Shown(TlsPair pair)
    {
        var ends = pair.Connect();
        Assert.Equal("Connected", TlsPair.Event(ends.ServerRecorder));
        return ends.Client.Tls!.SubjectPeerCertificate;
    }

    private sealed class Source : ISubscriptionFactory, ISubscription
    {
        public ISubscriptionCallbacks? Callbacks { get; private set; }

        public bool Ended { get; private set; }

        public ISubscription Subscribe(ConfigSource source, string typeUrl, IReadOnlyCollection<string> resourceNames,
            IStatsScope scope, ISubscriptionCallbacks callbacks)
        {
            Callbacks = callbacks;
            return this;
        }

        public void Start()
        {
        }

        public void UpdateResourceInterest(IReadOnlyCollection<string> resourceNames)
        {
        }

        public void Dispose() => Ended = true;

        public DecodedResource Wrap(string name, string yaml)
        {
            var secret = MessageJson.ParseYaml<Secret>(yaml, JsonReadOptions.Strict);
            secret.Name = name;
            return new DecodedResource(name, "1", secret.Message, []);
        }

        public void Push(IReadOnlyList<DecodedResource> resources) => Callbacks!.OnConfigUpdate(resources, [], "1", false);
    }
}
