using MeshProxy.ControlPlane.Resources;

namespace MeshProxy.ControlPlane.Security;

/// <summary>
/// The secrets of each identity that was asked for, under Istio's names: `default`, its certificate, and `ROOTCA`. A
/// certificate is replaced at half of its life.
/// </summary>
internal sealed class WorkloadSecrets : IDisposable
{
    public const string CertificateName = "default";
    public const string RootName = "ROOTCA";

    private readonly Lock _lock = new();
    private readonly Dictionary<WorkloadIdentity, (ServedResource Secret, DateTimeOffset RenewAt)> _issued = [];
    private readonly CertificateAuthority _authority;
    private readonly TimeSpan _lifetime;
    private readonly TimeProvider _clock;
    private readonly ServedResource _root;
    private readonly ITimer _timer;

    /// <param name="authority">Issues the certificates.</param>
    /// <param name="lifetime">How long each is valid.</param>
    /// <param name="clock">Tells the time.</param>
    /// <param name="renewed">Called when certificates are due to be replaced.</param>
    public WorkloadSecrets(CertificateAuthority authority, TimeSpan lifetime, TimeProvider clock, Action renewed)
    {
        (_authority, _lifetime, _clock) = (authority, lifetime, clock);
        _root = SecretResource.OfAuthorities(RootName, authority.RootPem);
        _timer = clock.CreateTimer(
            _ => DropDue(renewed), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The secrets of an identity; its certificate is made when it is first asked for.</summary>
    /// <param name="identity">Whose.</param>
    /// <param name="made">Whether it was made now.</param>
    public IReadOnlyList<ServedResource> Of(WorkloadIdentity identity, out bool made)
    {
        lock (_lock)
        {
            made = !_issued.TryGetValue(identity, out var issued);
            if (made)
            {
                var certificate = _authority.Issue(identity.Uri, _clock.GetUtcNow(), _lifetime);
                issued = (SecretResource.OfCertificate(CertificateName, certificate.ChainPem, certificate.KeyPem), certificate.RenewAt);
                _issued.Add(identity, issued);
                Schedule();
            }
            return [issued.Secret, _root];
        }
    }

    public void Dispose() => _timer.Dispose();

    private void DropDue(Action renewed)
    {
        lock (_lock)
        {
            var now = _clock.GetUtcNow();
            foreach (var identity in _issued.Where(issued => issued.Value.RenewAt <= now).Select(issued => issued.Key).ToList())
                _issued.Remove(identity);
            if (_issued.Count > 0)
                Schedule();
        }
        renewed();
    }

    private void Schedule()
    {
        // A timer takes no more than 49 days.
        var wait = _issued.Values.Min(issued => issued.RenewAt) - _clock.GetUtcNow();
        _timer.Change(TimeSpan.FromTicks(Math.Clamp(wait.Ticks, 0, TimeSpan.FromDays(1).Ticks)), Timeout.InfiniteTimeSpan);
    }
}
