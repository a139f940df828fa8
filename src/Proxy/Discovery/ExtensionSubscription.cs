using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using ConfigSource = Envoy.Config.Core.V3.ConfigSource;
using TypedExtensionConfig = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Discovery;

/// <summary>One extension followed by ECDS, shared by all places that name it with the same source, and no longer than one of them lives.</summary>
internal sealed class ExtensionSubscription : ISubscriptionCallbacks
{
    private const int Reload = 0;
    private const int Fail = 1;

    private static readonly StatBlockLayout Layout = new(
    [
        ("config_reload", StatKind.Counter),
        ("config_fail", StatKind.Counter),
        ("config_conflict", StatKind.Counter),
    ]);

    private readonly string _name;
    private readonly MessageValidationOptions _validation;
    private readonly UnsupportedFeatures _unsupported;
    private readonly StatBlock _stats;
    private readonly ISubscription _subscription;
    private readonly Action _onUnused;
    private readonly List<IExtensionUser> _users = [];
    private readonly List<Action> _waiting = [];
    private bool _answered;

    private ExtensionSubscription(string kind, string name, ConfigSource source, FactoryContext context, Action onUnused)
    {
        _name = name;
        Kind = kind;
        _validation = context.Validation;
        _unsupported = UnsupportedFeatures.Of(context.Singletons);
        _onUnused = onUnused;
        var scope = context.ServerScope.Scope($"extension_config_discovery.{kind}.{name}");
        _stats = scope.Block(Layout);
        _subscription = context.Subscriptions.Subscribe(source, TypedExtensionConfig.Descriptor.TypeUrl, [name], scope, this);
    }

    /// <summary>`http_filter` or `network_filter`.</summary>
    public string Kind { get; }

    /// <summary>The resource in force, for config_dump; null before the first.</summary>
    public TypedExtensionConfig? Resource { get; private set; }

    public string Version { get; private set; } = "";

    public DateTime LastUpdated { get; private set; }

    /// <summary>All extensions that are followed, for config_dump.</summary>
    public static IEnumerable<ExtensionSubscription> All(Singletons singletons) => Known(singletons).Values;

    /// <summary>Whether an extension of this kind was ever followed: from then on config_dump has a section for it.</summary>
    public static bool WasFollowed(Singletons singletons, string kind) => Kinds(singletons).Contains(kind);

    /// <summary>Follows for a place, as long as <paramref name="context"/> lives; what is known already is used at once.</summary>
    /// <param name="kind">`http_filter` or `network_filter`.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="source">Where it comes from.</param>
    /// <param name="waits">The owner is warm only when the first answer, or its time-out, came.</param>
    /// <param name="user">The place.</param>
    /// <param name="context">The place's owner.</param>
    public static void Follow(string kind, string name, ConfigSource source, bool waits, IExtensionUser user, FactoryContext context)
    {
        Kinds(context.Singletons).Add(kind);
        var known = Known(context.Singletons);
        var key = $"{kind}|{name}|{Convert.ToBase64String(source.Message.ToBytes())}";
        var isNew = !known.TryGetValue(key, out var subscription);
        subscription ??= new ExtensionSubscription(kind, name, source, context, () => known.Remove(key));
        if (subscription.Resource?.TypedConfig is { } config)
        {
            // What does not fit this place refuses the place's owner.
            user.Prepare(config)();
        }
        known[key] = subscription;
        subscription._users.Add(user);
        context.Own(new Use(subscription, user));
        if (waits && !subscription._answered)
        {
            subscription._waiting.Add(context.Init.Register());
        }
        if (isNew)
        {
            subscription._subscription.Start();
        }
    }

    public void OnConfigUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        if (isDelta && added.Count == 0)
        {
            Resource = null;
            TellDefault(removed: true);
            Answered();
            return;
        }
        try
        {
            Apply(added);
        }
        catch (ConfigurationException)
        {
            _stats.Inc(Fail);
            throw;
        }
        Answered();
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout)
    {
        if (Resource is null)
        {
            TellDefault(removed: false);
        }
        Answered();
    }

    private static HashSet<string> Kinds(Singletons singletons) =>
        singletons.Get("kinds of discovered extensions", static () => new HashSet<string>());

    private static Dictionary<string, ExtensionSubscription> Known(Singletons singletons) =>
        singletons.Get("extensions", static () => new Dictionary<string, ExtensionSubscription>(StringComparer.Ordinal));

    private void Apply(IReadOnlyList<DecodedResource> added)
    {
        if (added.Count != 1)
        {
            throw new ConfigurationException($"Unexpected number of resources in ExtensionConfigDS response: {added.Count}; exactly one is expected for {_name}.");
        }
        var resource = TypedExtensionConfig.From(added[0].Resource);
        if (resource.Name != _name)
        {
            throw new ConfigurationException($"Unexpected resource name in ExtensionConfigDS response: {resource.Name}; {_name} is expected.");
        }
        Version = added[0].Version;
        if (Resource is { } held && held.Message.Equals(resource.Message))
        {
            return;
        }
        ResourceChecks.CheckPacked(resource.Message, _validation, _unsupported);
        var config = resource.TypedConfig ?? throw new ConfigurationException($"{_name}: typed_config is missing; set it.");
        var commits = _users.ConvertAll(user => user.Prepare(config));
        commits.ForEach(static commit => commit());
        Resource = resource;
        LastUpdated = DateTime.UtcNow;
        _stats.Inc(Reload);
    }

    private void TellDefault(bool removed) => _users.ForEach(user => user.UseDefault(removed));

    private void Answered()
    {
        _answered = true;
        foreach (var ready in _waiting.ToArray())
        {
            ready();
        }
        _waiting.Clear();
    }

    private sealed class Use(ExtensionSubscription subscription, IExtensionUser user) : IDisposable
    {
        public void Dispose()
        {
            if (subscription._users.Remove(user) && subscription._users.Count == 0)
            {
                subscription._onUnused();
                subscription._subscription.Dispose();
            }
        }
    }
}
