using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Discovery.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Proxy.Tests.Discovery;

/// <summary>Whatever bytes a control plane sends: nothing is thrown but a sentence, and the stream is answered or opened anew.</summary>
public sealed class BrokenAnswersTests : IDisposable
{
    private const int Seed = 20260824;
    private const int Rounds = 4000;

    private static readonly string[] Types =
    [
        Listener.Descriptor.TypeUrl, Cluster.Descriptor.TypeUrl, RouteConfiguration.Descriptor.TypeUrl,
        ClusterLoadAssignment.Descriptor.TypeUrl, Secret.Descriptor.TypeUrl,
    ];

    private readonly EventLoop _loop = new("test", 0);
    private readonly FakeStreams _streams = new();
    private readonly RecordingTarget _target = new();

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void CutShortAnywhere()
    {
        var whole = Answer().Message.ToBytes();
        for (var length = 0; length < whole.Length; length++)
        {
            Feed(whole[..length]);
        }
    }

    [Fact]
    public void BytesChangedAtRandom()
    {
        var random = new Random(Seed);
        var whole = Answer().Message.ToBytes();
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = (byte[])whole.Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            Feed(bytes);
        }
    }

    [Fact]
    public void BytesAtRandom()
    {
        var random = new Random(Seed);
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            Feed(bytes);
        }
    }

    [Fact]
    public void ABrokenResourceIsRefusedInOneSentence()
    {
        var response = Answer();
        var broken = new Any(Types[0], [0x0a, 0xff, 0xff]);
        response.Resources.Add(broken);
        var mux = Mux(delta: false);
        using var watch = mux.AddWatch(Types[0], [], _target);
        mux.Start();
        _streams.Last.Next<DiscoveryRequest>();

        _streams.Last.Answer(response.Message);

        var refusal = _streams.Last.Next<DiscoveryRequest>();
        var text = refusal.ErrorDetail!.Value.MessageValue;
        Assert.StartsWith("A resource of type ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", text, StringComparison.Ordinal);
        Assert.Equal("", refusal.VersionInfo);
    }

    private void Feed(byte[] bytes)
    {
        foreach (var delta in new[] { false, true })
        {
            var mux = Mux(delta);
            using var watch = mux.AddWatch(Types[0], [], _target);
            mux.Start();
            var stream = _streams.Last;
            var asked = stream.Unread;

            stream.AnswerBytes(bytes);

            // What does not parse ends the stream; what does is answered, or of a type that nobody follows.
            Assert.True(stream.WasReset || stream.Unread >= asked);
            mux.End();
        }
    }

    private Mux Mux(bool delta)
    {
        var store = new StatsStore(1);
        var settings = new MuxSettings
        {
            Streams = _streams,
            Method = "/test",
            Node = Node.New(),
            NodeOnFirstOnly = true,
            Decoder = new ResourceDecoder(new MessageValidationOptions(RejectUnknownFields: false), store.Root, new UnsupportedFeatures()),
            Loop = _loop,
            Scope = store.Root,
        };
        return delta ? new DeltaMux(settings) : new SotwMux(settings);
    }

    private static DiscoveryResponse Answer()
    {
        var listener = Listener.New();
        listener.Name = "main";
        listener.StatPrefix = "main";
        var address = SocketAddress.New();
        address.Address = "127.0.0.1";
        address.PortValue = 8080;
        var place = Address.New();
        place.SocketAddress = address;
        listener.Address = place;
        var response = DiscoveryResponse.New();
        response.VersionInfo = "1";
        response.Nonce = "n1";
        response.TypeUrl = Types[0];
        response.Resources.Add(Any.Pack(listener));
        return response;
    }
}
