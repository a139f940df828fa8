using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Security.Secrets;

/// <summary>
/// One secret followed by SDS (Envoy's SdsApi): hands each version to its users, reads the files it points to and reads
/// them again when they are replaced. A version that a user cannot use is refused; what served before goes on serving.
/// </summary>
internal sealed class DiscoveredSecret : ISubscriptionCallbacks
{
    private readonly string _name;
    private readonly FileWatcher _files;
    private readonly IStatsScope _scope;
    private readonly Counter _rotationFailed;
    private readonly Action _forget;
    private readonly List<User> _users = [];
    private readonly List<IDisposable> _watches = [];
    private ISubscription? _subscription;
    private bool _started;
    private bool _answered;
    private Secret? _received;
    private Secret? _resolved;
    private string _version = "";
    private DateTimeOffset _updated;

    public DiscoveredSecret(string name, FileWatcher files, IStatsScope scope, Action forget)
    {
        _name = name;
        _files = files;
        _scope = scope;
        _forget = forget;
        _rotationFailed = scope.Counter("key_rotation_failed");
    }

    public SecretListing Listing => new(_name, _version, _updated, _resolved);

    public void Follow(Func<ISubscriptionCallbacks, ISubscription> subscribe) => _subscription = subscribe(this);

    /// <summary>Adds a user; it is told at once when the secret is there. Disposing the last ends the subscription.</summary>
    public IDisposable Attach(InitManager init, Action<Secret> onUpdate)
    {
        var user = new User(this, onUpdate, _answered ? static () => { } : init.Register());
        _users.Add(user);
        if (_resolved is { } known)
        {
            user.OnUpdate(known);
        }
        if (!_started)
        {
            _started = true;
            _subscription!.Start();
        }
        return user;
    }

    public void OnConfigUpdate(
        IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        try
        {
            if (added.Count == 0 && removed.Count > 0)
            {
                // A certificate in use is not thrown away because its sender lost it.
                return;
            }
            if (added.Count != 1)
            {
                throw new ConfigurationException(added.Count == 0
                    ? $"Missing SDS resources for {_name} in onConfigUpdate()"
                    : $"Unexpected SDS secrets length: {added.Count}");
            }
            Accept(Secret.From(added[0].Resource), added[0].Version);
        }
        finally
        {
            Answered();
        }
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => Answered();

    private void Accept(Secret secret, string version)
    {
        if (secret.Name != _name)
        {
            throw new ConfigurationException($"Unexpected SDS secret (expecting {_name}): {secret.Name}");
        }
        Apply(SecretFiles.Resolve(secret));
        _received = secret;
        _version = version;
        _updated = DateTimeOffset.UtcNow;
        Watch(secret);
    }

    // All users or none: one that refuses makes those told before it take the old one again.
    private void Apply(Secret secret)
    {
        var told = 0;
        try
        {
            foreach (var user in _users.ToArray())
            {
                user.OnUpdate(secret);
                told++;
            }
        }
        catch (ConfigurationException)
        {
            if (_resolved is { } old)
            {
                foreach (var user in _users.Take(told).ToArray())
                {
                    user.OnUpdate(old);
                }
            }
            throw;
        }
        _resolved = secret;
    }

    private void Watch(Secret secret)
    {
        EndWatches();
        if (SecretFiles.WatchedDirectory(secret) is { } directory)
        {
            _watches.Add(_files.WatchDirectory(directory, OnFilesMoved));
            return;
        }
        foreach (var path in SecretFiles.Paths(secret))
        {
            _watches.Add(_files.WatchFile(path, OnFilesMoved));
        }
    }

    private void OnFilesMoved()
    {
        try
        {
            var secret = SecretFiles.Resolve(_received!.Value);
            if (!secret.Message.Equals(_resolved?.Message))
            {
                Apply(secret);
                _updated = DateTimeOffset.UtcNow;
            }
        }
        catch (ConfigurationException)
        {
            // Half of a pair was replaced, or what came is broken: the other half's move, or a repair, comes here again.
            _rotationFailed.Inc();
        }
    }

    private void Answered()
    {
        _answered = true;
        foreach (var user in _users.ToArray())
        {
            user.Ready();
        }
    }

    private void Detach(User user)
    {
        if (!_users.Remove(user) || _users.Count > 0)
        {
            return;
        }
        EndWatches();
        _subscription?.Dispose();
        _scope.Dispose();
        _forget();
    }

    private void EndWatches()
    {
        _watches.ForEach(static w => w.Dispose());
        _watches.Clear();
    }

    private sealed class User(DiscoveredSecret owner, Action<Secret> onUpdate, Action ready) : IDisposable
    {
        public Action<Secret> OnUpdate { get; } = onUpdate;

        public Action Ready { get; } = ready;

        public void Dispose()
        {
            Ready();
            owner.Detach(this);
        }
    }
}
