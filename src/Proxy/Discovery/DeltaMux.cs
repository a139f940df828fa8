using Envoy.Service.Discovery.V3;
using Google.Rpc;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Delta: requests name what is wanted more or no longer, answers what came or went.</summary>
internal sealed class DeltaMux(MuxSettings settings) : Mux(settings)
{
    private readonly Dictionary<string, DeltaTypeState> _types = new(StringComparer.Ordinal);
    private readonly List<DeltaTypeState> _order = [];
    private readonly LinkedList<Acknowledgement> _acknowledgements = new();

    public override Watch AddWatch(string typeUrl, IReadOnlyCollection<string> names, IWatchTarget target)
    {
        if (!_types.TryGetValue(typeUrl, out var state))
        {
            state = new DeltaTypeState(typeUrl);
            state.Expiry = new ResourceExpiry(Loop, gone => Expire(state, gone));
            _types[typeUrl] = state;
            _order.Add(state);
        }
        var watch = new Watch(typeUrl, names, target, this);
        state.Add(watch);
        SendPending();
        return watch;
    }

    public override void Remove(Watch watch)
    {
        _types[watch.TypeUrl].Remove(watch);
        SendPending();
    }

    public override void OnNamesChanged(Watch watch, IReadOnlyCollection<string> before)
    {
        _types[watch.TypeUrl].Change(watch, before);
        SendPending();
    }

    protected override void Receive(ReadOnlySpan<byte> message)
    {
        var response = Message.Parse<DeltaDiscoveryResponse>(message);
        SetIdentifier(response.ControlPlane);
        if (!_types.TryGetValue(response.TypeUrl, out var state))
        {
            return;
        }
        Status? refusal = null;
        try
        {
            Apply(state, response);
        }
        catch (Exception refused) when (refused is ConfigurationException or ProtobufException)
        {
            Refused(state.TypeUrl, refused.Message);
            foreach (var watch in state.Watches.ToArray())
            {
                watch.Target.OnRejected(refused.Message);
            }
            refusal = Refusals.Of(refused);
        }
        _acknowledgements.AddLast(new Acknowledgement(state, response.Nonce, refusal));
    }

    protected override void OnStreamOpened()
    {
        _acknowledgements.Clear();
        foreach (var state in _order)
        {
            state.OnStreamOpened();
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
        for (var node = _acknowledgements.First; node is not null; node = node.Next)
        {
            if (!IsPaused(node.Value.State.TypeUrl))
            {
                _acknowledgements.Remove(node);
                return Acknowledge(node.Value).Message;
            }
        }
        foreach (var state in _order)
        {
            if (state.HasChanges && !IsPaused(state.TypeUrl))
            {
                var request = DeltaDiscoveryRequest.New();
                state.WriteChanges(request);
                return Complete(request, state).Message;
            }
        }
        return null;
    }

    // Subscriptions are never changed in an acknowledgement: istiod takes that for a protocol error.
    private DeltaDiscoveryRequest Acknowledge(Acknowledgement acknowledgement)
    {
        var request = DeltaDiscoveryRequest.New();
        request.ResponseNonce = acknowledgement.Nonce;
        if (acknowledgement.Refusal is { } refusal)
        {
            request.ErrorDetail = refusal;
        }
        return Complete(request, acknowledgement.State);
    }

    private DeltaDiscoveryRequest Complete(DeltaDiscoveryRequest request, DeltaTypeState state)
    {
        request.TypeUrl = state.TypeUrl;
        if (TakeNode())
        {
            request.Node = Node;
        }
        return request;
    }

    private void Apply(DeltaTypeState state, DeltaDiscoveryResponse response)
    {
        var removed = new List<string>(response.RemovedResources);
        RefuseDuplicates(response, removed);
        var resources = new List<DecodedResource>(response.Resources.Count);
        foreach (var wrapper in response.Resources)
        {
            if (wrapper.ResourceValue is not null)
            {
                resources.Add(Decoder.Decode(wrapper, state.TypeUrl));
            }
            state.Expiry.Renew(wrapper.Name, wrapper.Ttl);
        }
        Deliver(state, resources, removed, response.SystemVersionInfo);
        foreach (var resource in resources)
        {
            state.SetVersion(resource.Name, resource.Version);
        }
        foreach (var name in removed)
        {
            state.Expiry.Renew(name, null);
            state.Forget(name);
        }
    }

    private static void RefuseDuplicates(DeltaDiscoveryResponse response, List<string> removed)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var wrapper in response.Resources)
        {
            if (!names.Add(wrapper.Name))
            {
                throw new ConfigurationException($"duplicate name {wrapper.Name} found among added/updated resources; send each once.");
            }
        }
        foreach (var name in removed)
        {
            if (!names.Add(name))
            {
                throw new ConfigurationException($"duplicate name {name} found in the union of added+removed resources; send each once.");
            }
        }
    }

    private static void Deliver(DeltaTypeState state, List<DecodedResource> resources, List<string> removed, string version)
    {
        foreach (var watch in state.Watches.ToArray())
        {
            if (watch.Ended)
            {
                continue;
            }
            if (watch.IsWildcard)
            {
                watch.Target.OnUpdate(resources, removed, version, isDelta: true);
                continue;
            }
            var added = resources.FindAll(watch.Wants);
            var gone = removed.FindAll(watch.Names.Contains);
            if (added.Count > 0 || gone.Count > 0)
            {
                watch.Target.OnUpdate(added, gone, version, isDelta: true);
            }
        }
    }

    private static void Expire(DeltaTypeState state, IReadOnlyList<string> names)
    {
        Deliver(state, [], [.. names], "");
        foreach (var name in names)
        {
            state.Forget(name);
        }
    }

    private sealed record Acknowledgement(DeltaTypeState State, string Nonce, Status? Refusal);
}
