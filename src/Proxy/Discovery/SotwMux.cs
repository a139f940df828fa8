using Envoy.Service.Discovery.V3;
using Google.Rpc;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Discovery;

/// <summary>
/// State of the world: each request of a type names everything wanted, with the version last accepted; an answer may hold a
/// part of it, and what it does not hold stays (all but wildcard types).
/// </summary>
internal sealed class SotwMux(MuxSettings settings) : Mux(settings)
{
    private readonly Dictionary<string, TypeState> _types = new(StringComparer.Ordinal);
    private readonly List<TypeState> _order = [];
    private readonly Queue<TypeState> _queue = new();

    public override Watch AddWatch(string typeUrl, IReadOnlyCollection<string> names, IWatchTarget target)
    {
        if (!_types.TryGetValue(typeUrl, out var state))
        {
            state = new TypeState(typeUrl);
            state.Expiry = new ResourceExpiry(Loop, names => Expire(state, names));
            _types[typeUrl] = state;
            _order.Add(state);
        }
        var watch = new Watch(typeUrl, names, target, this);
        state.Watches.Add(watch);
        Enqueue(state);
        SendPending();
        return watch;
    }

    public override void Remove(Watch watch)
    {
        var state = _types[watch.TypeUrl];
        state.Watches.Remove(watch);
        if (!watch.IsWildcard)
        {
            Enqueue(state);
            SendPending();
        }
    }

    public override void OnNamesChanged(Watch watch, IReadOnlyCollection<string> before)
    {
        Enqueue(_types[watch.TypeUrl]);
        SendPending();
    }

    protected override void Receive(ReadOnlySpan<byte> message)
    {
        var response = Message.Parse<DiscoveryResponse>(message);
        SetIdentifier(response.ControlPlane);
        if (!_types.TryGetValue(response.TypeUrl, out var state))
        {
            return;
        }
        if (state.Watches.Count > 0)
        {
            // Watches that come and go while the answer is applied are part of the one acknowledgement.
            using (Pause(state.TypeUrl))
            {
                Apply(state, response);
                state.Nonce = response.Nonce;
                Enqueue(state);
            }
            return;
        }
        if (response.Resources.Count == 0)
        {
            state.Version = response.VersionInfo;
        }
        state.Nonce = response.Nonce;
        Enqueue(state);
    }

    protected override void OnStreamOpened()
    {
        _queue.Clear();
        foreach (var state in _order)
        {
            state.Nonce = "";
            state.Queued = false;
            // A type nobody follows any more would ask for everything.
            if (state.Watches.Count > 0)
            {
                Enqueue(state);
            }
        }
    }

    protected override void OnStreamFailure()
    {
        foreach (var state in _order)
        {
            foreach (var watch in state.Watches.ToArray())
            {
                watch.Target.OnStreamFailure();
            }
        }
    }

    protected override Message? NextRequest()
    {
        for (var count = _queue.Count; count > 0; count--)
        {
            var state = _queue.Dequeue();
            if (!IsPaused(state.TypeUrl))
            {
                state.Queued = false;
                return Request(state).Message;
            }
            _queue.Enqueue(state);
        }
        return null;
    }

    private DiscoveryRequest Request(TypeState state)
    {
        var request = DiscoveryRequest.New();
        request.TypeUrl = state.TypeUrl;
        request.VersionInfo = state.Version;
        request.ResponseNonce = state.Nonce;
        request.ResourceNames.AddRange(state.Watches.SelectMany(watch => watch.Names).Distinct(StringComparer.Ordinal));
        if (TakeNode())
        {
            request.Node = Node;
        }
        if (state.Refusal is { } refusal)
        {
            request.ErrorDetail = refusal;
            state.Refusal = null;
        }
        return request;
    }

    private void Apply(TypeState state, DiscoveryResponse response)
    {
        try
        {
            var resources = Decode(state, response);
            Deliver(state, resources, response.VersionInfo);
            state.Version = response.VersionInfo;
        }
        catch (Exception refused) when (refused is ConfigurationException or ProtobufException)
        {
            Refused(state.TypeUrl, refused.Message);
            foreach (var watch in state.Watches.ToArray())
            {
                watch.Target.OnRejected(refused.Message);
            }
            state.Refusal = Refusals.Of(refused);
        }
    }

    private List<DecodedResource> Decode(TypeState state, DiscoveryResponse response)
    {
        var resources = new List<DecodedResource>(response.Resources.Count);
        foreach (var packed in response.Resources)
        {
            var resource = Decoder.Decode(packed, state.TypeUrl, response.VersionInfo, out var wrapper);
            if (resource is not null)
            {
                resources.Add(resource);
            }
            state.Expiry.Renew(resource?.Name ?? wrapper?.Name ?? "", wrapper?.Ttl);
        }
        return resources;
    }

    private static void Deliver(TypeState state, List<DecodedResource> resources, string version)
    {
        var byName = new Dictionary<string, DecodedResource>(resources.Count, StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            byName[resource.Name] = resource;
        }
        foreach (var watch in state.Watches.ToArray())
        {
            if (watch.Ended)
            {
                continue;
            }
            if (watch.IsWildcard)
            {
                watch.Target.OnUpdate(resources, [], version, isDelta: false);
                continue;
            }
            var wanted = new List<DecodedResource>(watch.Names.Count);
            foreach (var name in watch.Names)
            {
                if (byName.TryGetValue(name, out var resource))
                {
                    wanted.Add(resource);
                }
            }
            if (wanted.Count > 0)
            {
                watch.Target.OnUpdate(wanted, [], version, isDelta: false);
            }
        }
    }

    private static void Expire(TypeState state, IReadOnlyList<string> names)
    {
        foreach (var watch in state.Watches.ToArray())
        {
            var gone = watch.IsWildcard ? names : [.. names.Where(watch.Names.Contains)];
            if (!watch.Ended && gone.Count > 0)
            {
                watch.Target.OnUpdate([], gone, state.Version, isDelta: true);
            }
        }
    }

    private void Enqueue(TypeState state)
    {
        if (!state.Queued)
        {
            state.Queued = true;
            _queue.Enqueue(state);
        }
    }

    private sealed class TypeState(string typeUrl)
    {
        public string TypeUrl => typeUrl;

        public List<Watch> Watches { get; } = [];

        public ResourceExpiry Expiry { get; set; } = null!;

        /// <summary>version_info of the last accepted answer.</summary>
        public string Version { get; set; } = "";

        public string Nonce { get; set; } = "";

        /// <summary>What the next request says of the last answer.</summary>
        public Status? Refusal { get; set; }

        public bool Queued { get; set; }
    }
}
