using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Service.Discovery.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Proxy.Tests.Discovery;

public sealed class MuxTests : IDisposable
{
    private static readonly string Endpoints = ClusterLoadAssignment.Descriptor.TypeUrl;

    private readonly EventLoop _loop = new("test", 0);
    private readonly FakeStreams _streams = new();
    private readonly RecordingTarget _target = new();

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void StateOfTheWorldAsksForAllNamesAndAcknowledgesWithVersionAndNonce()
    {
        var mux = Sotw();
        using var first = mux.AddWatch(Endpoints, ["a"], _target);
        using var second = mux.AddWatch(Endpoints, ["b"], _target);
        mux.Start();

        var request = _streams.Last.Next<DiscoveryRequest>();
        Assert.Equal(new[] { "a", "b" }, request.ResourceNames.ToArray());
        Assert.Equal("node", request.Node!.Value.Id);
        Assert.Equal("", request.ResponseNonce);

        _streams.Last.Answer(Response("1", "n1", "a", "b", "stranger"));

        var acknowledgement = _streams.Last.Next<DiscoveryRequest>();
        Assert.Equal(("1", "n1"), (acknowledgement.VersionInfo, acknowledgement.ResponseNonce));
        Assert.Null(acknowledgement.Node);
        Assert.Equal(["a-@1", "b-@1"], _target.Seen);
        Assert.Equal(0, _streams.Last.Unread);
    }

    [Fact]
    public void ARefusedAnswerIsToldWithTheVersionInForce()
    {
        var mux = Sotw();
        using var watch = mux.AddWatch(Endpoints, ["a"], _target);
        mux.Start();
        _streams.Last.Next<DiscoveryRequest>();
        _streams.Last.Answer(Response("1", "n1", "a"));
        _streams.Last.Next<DiscoveryRequest>();

        _target.Refuse = "a";
        _streams.Last.Answer(Response("2", "n2", "a"));

        var refusal = _streams.Last.Next<DiscoveryRequest>();
        Assert.Equal(("1", "n2"), (refusal.VersionInfo, refusal.ResponseNonce));
        Assert.Equal("a is refused", refusal.ErrorDetail!.Value.MessageValue);
    }

    [Fact]
    public void WhatChangesWhilePausedBecomesOneRequest()
    {
        var mux = Sotw();
        mux.Start();
        using (mux.Pause(Endpoints))
        {
            mux.AddWatch(Endpoints, ["a"], _target);
            mux.AddWatch(Endpoints, ["b"], _target);
            Assert.Equal(0, _streams.Last.Unread);
        }
        Assert.Equal(new[] { "a", "b" }, _streams.Last.Next<DiscoveryRequest>().ResourceNames.ToArray());
        Assert.Equal(0, _streams.Last.Unread);
    }

    [Fact]
    public void AnAnswerThatDoesNotParseEndsTheStream()
    {
        var mux = Sotw();
        using var watch = mux.AddWatch(Endpoints, ["a"], _target);
        mux.Start();

        _streams.Last.AnswerBytes([0xff, 0xff]);

        Assert.True(_streams.Last.WasReset);
        Assert.Equal(["failed"], _target.Seen);
    }

    [Fact]
    public void DeltaTellsChangesAndAcknowledgesApart()
    {
        var mux = Delta();
        var first = mux.AddWatch(Endpoints, ["a"], _target);
        mux.Start();
        Assert.Equal(new[] { "a" }, _streams.Last.Next<DeltaDiscoveryRequest>().ResourceNamesSubscribe.ToArray());

        _streams.Last.Answer(DeltaResponse("n1", ["a"], []));
        var acknowledgement = _streams.Last.Next<DeltaDiscoveryRequest>();
        Assert.Equal("n1", acknowledgement.ResponseNonce);
        Assert.Empty(acknowledgement.ResourceNamesSubscribe);

        using var second = mux.AddWatch(Endpoints, ["b"], _target);
        Assert.Equal(new[] { "b" }, _streams.Last.Next<DeltaDiscoveryRequest>().ResourceNamesSubscribe.ToArray());
        first.Dispose();
        var change = _streams.Last.Next<DeltaDiscoveryRequest>();
        Assert.Equal(new[] { "a" }, change.ResourceNamesUnsubscribe.ToArray());
        Assert.Equal("", change.ResponseNonce);
    }

    [Fact]
    public void DeltaRefusesAnAnswerThatNamesAResourceTwice()
    {
        var mux = Delta();
        using var watch = mux.AddWatch(Endpoints, ["a"], _target);
        mux.Start();
        _streams.Last.Next<DeltaDiscoveryRequest>();

        _streams.Last.Answer(DeltaResponse("n1", ["a"], ["a"]));

        Assert.Contains("duplicate name a", _streams.Last.Next<DeltaDiscoveryRequest>().ErrorDetail!.Value.MessageValue, StringComparison.Ordinal);
        Assert.Equal(["rejected"], _target.Seen);
    }

    [Fact]
    public void ANewDeltaStreamSaysWhatIsHeld()
    {
        var state = new DeltaTypeState(Endpoints);
        state.Add(new Watch(Endpoints, ["a", "b"], _target, Delta()));
        state.WriteChanges(DeltaDiscoveryRequest.New());
        state.SetVersion("a", "");
        state.OnStreamOpened();

        var request = DeltaDiscoveryRequest.New();
        state.WriteChanges(request);

        Assert.Equal(new[] { "a", "b" }, request.ResourceNamesSubscribe.ToArray());
        Assert.Equal(new[] { new KeyValuePair<string, string>("a", "") }, request.InitialResourceVersions.ToArray());
    }

    private SotwMux Sotw() => new(Settings());

    private DeltaMux Delta() => new(Settings());

    private MuxSettings Settings()
    {
        var store = new StatsStore(1);
        var node = Node.New();
        node.Id = "node";
        return new MuxSettings
        {
            Streams = _streams,
            Method = "/test",
            Node = node,
            NodeOnFirstOnly = true,
            Decoder = new ResourceDecoder(new MessageValidationOptions(RejectUnknownFields: false), store.Root, new UnsupportedFeatures()),
            Loop = _loop,
            Scope = store.Root,
        };
    }

    private static Message Response(string version, string nonce, params string[] names)
    {
        var response = DiscoveryResponse.New();
        response.VersionInfo = version;
        response.Nonce = nonce;
        response.TypeUrl = Endpoints;
        foreach (var name in names)
        {
            response.Resources.Add(Any.Pack(Assignment(name)));
        }
        return response.Message;
    }

    private static Message DeltaResponse(string nonce, string[] names, string[] removed)
    {
        var response = DeltaDiscoveryResponse.New();
        response.Nonce = nonce;
        response.TypeUrl = Endpoints;
        foreach (var name in names)
        {
            var resource = Resource.New();
            resource.Name = name;
            resource.ResourceValue = Any.Pack(Assignment(name));
            response.Resources.Add(resource);
        }
        response.RemovedResources.AddRange(removed);
        return response.Message;
    }

    private static ClusterLoadAssignment Assignment(string name)
    {
        var assignment = ClusterLoadAssignment.New();
        assignment.ClusterName = name;
        return assignment;
    }
}
