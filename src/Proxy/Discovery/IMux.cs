namespace MeshProxy.Proxy.Discovery;

/// <summary>Many subscriptions over one stream (Envoy's GrpcMux).</summary>
internal interface IMux
{
    /// <summary>Opens the stream; before, subscriptions only gather.</summary>
    void Start();

    Watch AddWatch(string typeUrl, IReadOnlyCollection<string> names, IWatchTarget target);

    /// <summary>Holds back what would be sent of a type until disposed; counted.</summary>
    IDisposable Pause(string typeUrl);
}

/// <summary>Who takes what one watch sees.</summary>
internal interface IWatchTarget
{
    /// <exception cref="Configuration.ConfigurationException">Something in it is refused.</exception>
    void OnUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string version, bool isDelta);

    /// <summary>An answer of the type was refused, by this watch or another.</summary>
    void OnRejected(string reason);

    /// <summary>The stream failed; it is tried again.</summary>
    void OnStreamFailure();
}
