using System.Text;
using Envoy.Service.Discovery.V3;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>The state-of-the-world protocol: each answer is all that is subscribed to, of one type.</summary>
internal sealed class StateOfTheWorld(DiscoveryClient client) : IDiscoveryProtocol
{
    private const string All = "*";

    private readonly DiscoveryClient _client = client;
    private readonly Dictionary<string, Subscription> _subscriptions = new(StringComparer.Ordinal);

    public MessageType RequestType => DiscoveryRequest.Descriptor;

    public string TypeOf(Message answer) => DiscoveryResponse.From(answer).TypeUrl;

    public IEnumerable<Message> Answer(Message message)
    {
        var request = DiscoveryRequest.From(message);
        _client.Introduce(request.Node);
        var type = _client.TypeOf(request.TypeUrl);
        var isFirst = !_subscriptions.TryGetValue(type, out var subscription);
        if (subscription is null)
            _subscriptions.Add(type, subscription = new Subscription(type));
        // An answer to an answer that another has followed: the client will answer that one too.
        else if (request.ResponseNonce.Length > 0 && request.ResponseNonce != subscription.Nonce)
            return [];
        if (!isFirst && request.ResponseNonce.Length > 0 && subscription.IsAwaited)
            Note(subscription, request);
        var hasMore = Subscribe(subscription, request.ResourceNames, isFirst);
        return isFirst || hasMore || request.ResponseNonce.Length == 0 ? Send(subscription, isForced: true) : [];
    }

    public IEnumerable<Message> Push()
    {
        var sent = new HashSet<string>(StringComparer.Ordinal);
        foreach (var subscription in _subscriptions.Values.OrderBy(s => ResourceTypes.Rank(s.Type)).ToList())
        {
            foreach (var response in Send(subscription, IsAwaitedBy(subscription.Type, sent)))
            {
                sent.Add(subscription.Type);
                yield return response;
            }
        }
    }

    // A cluster or a listener that is replaced waits for its endpoints or routes to be said again, changed or not.
    private static bool IsAwaitedBy(string type, HashSet<string> sent) =>
        (type == ResourceTypes.Endpoints && sent.Contains(ResourceTypes.Cluster))
        || (type == ResourceTypes.Routes && sent.Contains(ResourceTypes.Listener));

    private void Note(Subscription subscription, DiscoveryRequest request)
    {
        subscription.IsAwaited = false;
        _client.Note(subscription.Type, subscription.Version, request.ErrorDetail);
    }

    // Whether names came that were not there before.
    private static bool Subscribe(Subscription subscription, StringList names, bool isFirst)
    {
        // No names at all mean everything, unless there were some before (xDS protocol, "Resource names").
        subscription.IsWildcard = names.Contains(All) || (names.Count == 0 && (isFirst || subscription.IsWildcard));
        var now = names.Where(name => name != All).ToHashSet(StringComparer.Ordinal);
        var hasMore = !now.IsSubsetOf(subscription.Names);
        subscription.Names = now;
        return hasMore;
    }

    private IEnumerable<Message> Send(Subscription subscription, bool isForced)
    {
        var available = _client.Resources(subscription.Type);
        var resources = subscription.IsWildcard
            ? available.All
            : subscription.Names.Select(available.Find).OfType<ServedResource>().ToList();
        var version = VersionOf(resources);
        // What is not there yet will be pushed when it comes; nothing is an answer only where it means "none".
        var isSilent = resources.Count == 0 && !(subscription.IsWildcard && ResourceTypes.IsWhole(subscription.Type));
        if (isSilent || (!isForced && version == subscription.Version))
            yield break;
        (subscription.Version, subscription.Nonce, subscription.IsAwaited) = (version, _client.NextNonce(), true);
        var response = DiscoveryResponse.New();
        response.VersionInfo = version;
        response.Nonce = subscription.Nonce;
        response.TypeUrl = subscription.Type;
        response.Resources.AddRange(resources.Select(resource => resource.Body));
        yield return response.Message;
    }

    private static string VersionOf(IReadOnlyList<ServedResource> resources)
    {
        var text = new StringBuilder();
        foreach (var resource in resources)
            text.Append(resource.Name).Append(' ').Append(resource.Version).Append('\n');
        return ServedResource.VersionOf(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private sealed class Subscription(string type)
    {
        public string Type { get; } = type;
        public bool IsWildcard { get; set; }
        public HashSet<string> Names { get; set; } = [];
        public string Version { get; set; } = "";
        public string Nonce { get; set; } = "";

        /// <summary>Whether the last answer has not been acknowledged or refused yet.</summary>
        public bool IsAwaited { get; set; }
    }
}
