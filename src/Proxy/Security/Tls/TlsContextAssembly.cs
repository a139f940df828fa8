using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Validation;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>
/// Puts a context together from configuration and secrets, again with each new secret. A secret that cannot be used is
/// refused to its sender, and what was in use stays. Main loop only.
/// </summary>
internal sealed class TlsContextAssembly : IDisposable
{
    private readonly CommonTlsContext _config;
    private readonly FactoryContext _context;
    private readonly Func<TlsContextSettings, TicketKeys?, TlsContext> _make;
    private readonly TlsParameters _parameters;
    private readonly TlsStats _stats;
    private readonly TlsKeyLog? _keyLog;
    private readonly Counter _updates;
    private readonly List<IDisposable> _subscriptions = [];
    private ServedCertificate?[] _certificates = [];
    private ICertificateValidator? _validator;
    private TicketKeys? _ticketKeys;
    private bool _validatorAwaited;
    private bool _ticketKeysAwaited;
    private bool _assembling = true;

    private TlsContextAssembly(
        CommonTlsContext config, int defaultMaximum, FactoryContext context, IStatsScope factoryScope,
        Func<TlsContextSettings, TicketKeys?, TlsContext> make)
    {
        _config = config;
        _context = context;
        _make = make;
        _updates = factoryScope.Counter("ssl_context_update_by_sds");
        _parameters = TlsParameters.Compile(config.TlsParams, defaultMaximum);
        _stats = new TlsStats(context.Scope);
        _keyLog = config.KeyLog is { } log ? new TlsKeyLog(log) : null;
    }

    /// <summary>Where the newest context is.</summary>
    public TlsContextSource Source { get; } = new();

    /// <summary>
    /// Compiles and follows the secrets. The source is empty until the last secret has come, for which <c>context.Init</c> waits.
    /// </summary>
    public static TlsContextAssembly Start(
        CommonTlsContext config, int defaultMaximum, SdsSecretConfig? ticketKeys, FactoryContext context,
        IStatsScope factoryScope, TlsContextManager manager, Func<TlsContextSettings, TicketKeys?, TlsContext> make)
    {
        RefuseUnsupported(config);
        var assembly = new TlsContextAssembly(config, defaultMaximum, context, factoryScope, make);
        try
        {
            assembly.CompileStatic();
            assembly.Subscribe(ticketKeys);
            assembly._assembling = false;
            assembly.Build();
        }
        catch
        {
            assembly.Dispose();
            throw;
        }
        manager.Add(assembly.Source);
        return assembly;
    }

    /// <summary>Ends the following of secrets; contexts in use live on.</summary>
    public void Dispose()
    {
        _subscriptions.ForEach(static s => s.Dispose());
        _subscriptions.Clear();
        Source.Disposed = true;
        _stats.Dispose();
    }

    private void CompileStatic()
    {
        _certificates = [.. _config.TlsCertificates.Select(static c => CertificateCompiler.Compile(c))];
        if (_config.ValidationContext is { } validation)
        {
            Native.OpenSsl.EnsureLoaded();
            _validator = ValidationContextCompiler.Compile(validation);
        }
    }

    private void Subscribe(SdsSecretConfig? ticketKeys)
    {
        if (_config.TlsCertificateSdsSecretConfigs.Count > 0)
        {
            _certificates = new ServedCertificate?[_config.TlsCertificateSdsSecretConfigs.Count];
            var index = 0;
            foreach (var secret in _config.TlsCertificateSdsSecretConfigs)
            {
                var position = index++;
                Follow(secret, s => UseCertificate(position, s));
            }
        }
        var combined = _config.CombinedValidationContext;
        if ((_config.ValidationContextSdsSecretConfig ?? combined?.ValidationContextSdsSecretConfig) is { } validation)
        {
            _validatorAwaited = true;
            Follow(validation, s => UseValidation(s, combined?.DefaultValidationContext));
        }
        if (ticketKeys is { } keys)
        {
            _ticketKeysAwaited = true;
            Follow(keys, UseTicketKeys);
        }
    }

    private void Follow(SdsSecretConfig config, Action<Secret> use)
    {
        var counted = config.SdsConfig is not null;
        _subscriptions.Add(_context.Secrets.Subscribe(config, _context.Init, secret => Update(secret, use, counted)));
    }

    private void Update(Secret secret, Action<Secret> use, bool counted)
    {
        var (certificates, validator, ticketKeys) = (_certificates, _validator, _ticketKeys);
        _certificates = [.. _certificates];
        try
        {
            use(secret);
            if (!_assembling)
            {
                Build();
            }
            if (counted)
            {
                _updates.Inc();
            }
        }
        catch (ConfigurationException)
        {
            (_certificates, _validator, _ticketKeys) = (certificates, validator, ticketKeys);
            throw;
        }
    }

    private void UseCertificate(int index, Secret secret) => _certificates[index] = CertificateCompiler.Compile(
        secret.TlsCertificate ?? throw WrongKind(secret, "tls_certificate"));

    private void UseValidation(Secret secret, CertificateValidationContext? defaults)
    {
        Native.OpenSsl.EnsureLoaded();
        var dynamic = secret.ValidationContext ?? throw WrongKind(secret, "validation_context");
        if (defaults is { } given)
        {
            var merged = given.Message.Clone();
            merged.MergeFrom(dynamic.Message);
            dynamic = CertificateValidationContext.From(merged);
        }
        _validator = ValidationContextCompiler.Compile(dynamic);
    }

    private void UseTicketKeys(Secret secret) => _ticketKeys = new TicketKeys(
        (secret.SessionTicketKeys ?? throw WrongKind(secret, "session_ticket_keys")).Keys.Select(
            static k => SecretData.Read(k, "session_ticket_keys.keys")?.Bytes ?? []));

    private void Build()
    {
        if (Array.Exists(_certificates, static c => c is null) || (_validatorAwaited && _validator is null)
            || (_ticketKeysAwaited && _ticketKeys is null))
        {
            return;
        }
        Source.Current = _make(
            new TlsContextSettings
            {
                Parameters = _parameters,
                Certificates = [.. _certificates.Select(static c => c!)],
                Validator = _validator,
                AlpnProtocols = [.. _config.AlpnProtocols],
                KeyLog = _keyLog,
                Stats = _stats,
            },
            _ticketKeys);
    }

    private static ConfigurationException WrongKind(Secret secret, string wanted) =>
        new($"Unexpected SDS secret type of '{secret.Name}': {wanted} is needed here.");

    private static void RefuseUnsupported(CommonTlsContext config)
    {
        if (config.TlsCertificates.Count > 0 && config.TlsCertificateSdsSecretConfigs.Count > 0)
        {
            throw new ConfigurationException("only one of tls_certificates and tls_certificate_sds_secret_configs may be set");
        }
        if (config.CustomHandshaker is { } handshaker)
        {
            throw new ConfigurationException($"custom_handshaker '{handshaker.Name}' is not supported: leave it out.");
        }
        if (config.CustomTlsCertificateSelector is { } selector)
        {
            throw new ConfigurationException($"custom_tls_certificate_selector '{selector.Name}' is not supported: leave it out.");
        }
        if (config.TlsCertificateCertificateProvider is not null || config.TlsCertificateCertificateProviderInstance is not null
            || config.TlsCertificateProviderInstance is not null || config.ValidationContextCertificateProvider is not null
            || config.ValidationContextCertificateProviderInstance is not null
            || config.CombinedValidationContext?.ValidationContextCertificateProvider is not null
            || config.CombinedValidationContext?.ValidationContextCertificateProviderInstance is not null)
        {
            throw new ConfigurationException("certificate providers are not supported: use SDS.");
        }
    }
}
