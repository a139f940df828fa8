using Envoy.Service.Discovery.V3;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>The incremental protocol: each answer is what is new, different or gone, of one type.</summary>
internal sealed class Incremental(DiscoveryClient client) : IDiscoveryProtocol
{
    private const string All = "*";

    // The version of a name that the client knows to be nothing.
    private const string Absent = "";

    private readonly DiscoveryClient _client = client;
    private readonly Dictionary<string, Subscription> _subscriptions = new(StringComparer.Ordinal);

    public MessageType RequestType => DeltaDiscoveryRequest.Descriptor;

    public string TypeOf(Message answer) => DeltaDiscoveryResponse.From(answer).TypeUrl;

    public IEnumerable<Message> Answer(Message message)
    {
        var request = DeltaDiscoveryRequest.From(message);
        _client.Introduce(request.Node);
        var type = _client.TypeOf(request.TypeUrl);
        var isFirst = !_subscriptions.TryGetValue(type, out var subscription);
        if (subscription is null)
            _subscriptions.Add(type, subscription = First(type, request));
        if (request.ResponseNonce.Length > 0 && subscription.Awaited.Remove(request.ResponseNonce, out var version))
            _client.Note(type, version, request.ErrorDetail);
        Subscribe(subscription, request);
        if (!isFirst && request.ResourceNamesSubscribe.Count == 0 && request.ResourceNamesUnsubscribe.Count == 0)
            return [];
        // The first answer to a wildcard says "that is all", even if that is nothing.
        return Send(subscription, Changes.All, isForced: isFirst && subscription.IsWildcard);
    }

    public IEnumerable<Message> Push()
    {
        var inOrder = _subscriptions.Values.OrderBy(s => ResourceTypes.Rank(s.Type)).ToList();
        // Clusters and endpoints go when nothing refers to them any more: after the routes that did.
        foreach (var subscription in inOrder)
        {
            foreach (var response in Send(subscription, IsReferredTo(subscription.Type) ? Changes.Additions : Changes.All))
                yield return response;
        }
        foreach (var subscription in inOrder.Where(s => IsReferredTo(s.Type)))
        {
            foreach (var response in Send(subscription, Changes.All))
                yield return response;
        }
    }

    private static bool IsReferredTo(string type) =>
        type == ResourceTypes.Cluster || type == ResourceTypes.Endpoints || type == ResourceTypes.Secret;

    private static Subscription First(string type, DeltaDiscoveryRequest request)
    {
        // No names in the first request of a type mean everything (xDS protocol, "Legacy wildcard").
        var subscription = new Subscription(type) { IsWildcard = request.ResourceNamesSubscribe.Count == 0 };
        foreach (var (name, version) in request.InitialResourceVersions)
            subscription.Known[name] = version;
        return subscription;
    }

    private static void Subscribe(Subscription subscription, DeltaDiscoveryRequest request)
    {
        foreach (var name in request.ResourceNamesUnsubscribe)
        {
            if (name == All)
                subscription.IsWildcard = false;
            else if (subscription.Names.Remove(name))
                subscription.Known.Remove(name);
        }
        foreach (var name in request.ResourceNamesSubscribe)
        {
            if (name == All)
                subscription.IsWildcard = true;
            // Asked for again, it is sent again, unless this stream begins with the client having it.
            else if (!subscription.Names.Add(name) || !request.InitialResourceVersions.ContainsKey(name))
                subscription.Known.Remove(name);
        }
    }

    private IEnumerable<Message> Send(Subscription subscription, Changes changes, bool isForced = false)
    {
        var available = _client.Resources(subscription.Type);
        var changed = Wanted(subscription, available)
            .Where(resource => subscription.Known.GetValueOrDefault(resource.Name) != resource.Version)
            .ToList();
        var gone = changes == Changes.All ? Gone(subscription, available) : [];
        if (changed.Count == 0 && gone.Count == 0 && !isForced)
            yield break;
        foreach (var resource in changed)
            subscription.Known[resource.Name] = resource.Version;
        foreach (var name in gone)
            Forget(subscription, name);
        yield return Response(subscription, changed, gone);
    }

    private static IEnumerable<ServedResource> Wanted(Subscription subscription, ResourceSet available) =>
        subscription.IsWildcard ? available.All : subscription.Names.Select(available.Find).OfType<ServedResource>();

    private static List<string> Gone(Subscription subscription, ResourceSet available)
    {
        var gone = subscription.Known
            .Where(known => known.Value != Absent && available.Find(known.Key) is null)
            .Select(known => known.Key)
            .ToList();
        // Who subscribes to what is not there must hear that.
        gone.AddRange(subscription.Names.Where(name => !subscription.Known.ContainsKey(name) && available.Find(name) is null));
        return gone;
    }

    private static void Forget(Subscription subscription, string name)
    {
        if (subscription.Names.Contains(name))
            subscription.Known[name] = Absent;
        else
            subscription.Known.Remove(name);
    }

    private Message Response(Subscription subscription, List<ServedResource> changed, List<string> gone)
    {
        var response = DeltaDiscoveryResponse.New();
        response.TypeUrl = subscription.Type;
        response.Nonce = _client.NextNonce();
        response.SystemVersionInfo = response.Nonce;
        subscription.Awaited[response.Nonce] = response.Nonce;
        foreach (var resource in changed)
        {
            var entry = Resource.New();
            entry.Name = resource.Name;
            entry.Version = resource.Version;
            entry.ResourceValue = resource.Body;
            response.Resources.Add(entry);
        }
        response.RemovedResources.AddRange(gone);
        return response.Message;
    }

    private enum Changes
    {
        All,
        Additions,
    }

    private sealed class Subscription(string type)
    {
        public string Type { get; } = type;
        public bool IsWildcard { get; set; }
        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

        /// <summary>The version of each resource that the client has.</summary>
        public Dictionary<string, string> Known { get; } = new(StringComparer.Ordinal);

        /// <summary>Answers that have not been acknowledged or refused: version by nonce.</summary>
        public Dictionary<string, string> Awaited { get; } = new(StringComparer.Ordinal);
    }
}
