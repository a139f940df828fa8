using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.Jwt;
using Config = Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtRequirement;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>A compiled JwtRequirement: which tokens a request must carry.</summary>
internal abstract class JwtRequirement
{
    public abstract void Verify(JwtVerification request, Action<JwtStatus> done);

    /// <summary>Null when nothing is required.</summary>
    public static JwtRequirement? Compile(Config config, IReadOnlyDictionary<string, JwtProvider> providers) => config.RequiresTypeCase switch
    {
        Config.RequiresTypeOneofCase.ProviderName => new OfProvider(Find(config.ProviderName, providers), null),
        Config.RequiresTypeOneofCase.ProviderAndAudiences => new OfProvider(
            Find(config.ProviderAndAudiences!.Value.ProviderName, providers),
            new JwtAudiences(config.ProviderAndAudiences!.Value.Audiences)),
        Config.RequiresTypeOneofCase.RequiresAny => CompileAny(config, providers),
        Config.RequiresTypeOneofCase.RequiresAll => new AllOf(
            [.. config.RequiresAll!.Value.Requirements.Select(r => Compile(r, providers) ?? new Nothing())]),
        Config.RequiresTypeOneofCase.AllowMissing => new Lenient([.. providers.Values], allowFailed: false),
        Config.RequiresTypeOneofCase.AllowMissingOrFailed => new Lenient([.. providers.Values], allowFailed: true),
        Config.RequiresTypeOneofCase.ExtractOnlyWithoutValidation => new ExtractOnly(
            [.. providers.Values], config.ExtractOnlyWithoutValidation!.Value.VerificationStatusHeader),
        _ => null,
    };

    private static AnyOf CompileAny(Config config, IReadOnlyDictionary<string, JwtProvider> providers)
    {
        var parts = new List<JwtRequirement>();
        var missing = false;
        var failed = false;
        foreach (var part in config.RequiresAny!.Value.Requirements)
        {
            switch (part.RequiresTypeCase)
            {
                case Config.RequiresTypeOneofCase.AllowMissing:
                    missing = true;
                    break;
                case Config.RequiresTypeOneofCase.AllowMissingOrFailed:
                    failed = true;
                    break;
                default:
                    parts.Add(Compile(part, providers) ?? new Nothing());
                    break;
            }
        }
        return new AnyOf([.. parts], missing, failed);
    }

    private static JwtProvider Find(string name, IReadOnlyDictionary<string, JwtProvider> providers) =>
        providers.TryGetValue(name, out var provider) ? provider
            : throw new ConfigurationException($"Required provider ['{name}'] is not configured.");

    private sealed class Nothing : JwtRequirement
    {
        public override void Verify(JwtVerification request, Action<JwtStatus> done) => done(JwtStatus.Ok);
    }

    private sealed class OfProvider(JwtProvider provider, JwtAudiences? audiences) : JwtRequirement
    {
        public override void Verify(JwtVerification request, Action<JwtStatus> done) => request.Verify(provider, audiences, done);
    }

    private sealed class Lenient(JwtProvider[] providers, bool allowFailed) : JwtRequirement
    {
        public override void Verify(JwtVerification request, Action<JwtStatus> done) => request.VerifyAll(
            providers, stopAtFailure: !allowFailed,
            status => done(allowFailed || status == JwtStatus.Missing ? JwtStatus.Ok : status));
    }

    private sealed class ExtractOnly(JwtProvider[] providers, string statusHeader) : JwtRequirement
    {
        private readonly byte[] _header = Encoding.ASCII.GetBytes(
            statusHeader.Length > 0 ? statusHeader.ToLowerInvariant() : "x-jwt-signature-verified");

        public override void Verify(JwtVerification request, Action<JwtStatus> done)
        {
            // Nobody outside may claim that a token was verified.
            request.Headers.Remove(_header);
            request.VerifyAll(providers, stopAtFailure: false, status =>
            {
                if (status is not (JwtStatus.Ok or JwtStatus.Missing))
                {
                    request.Headers.Set(_header, "false"u8);
                }
                done(JwtStatus.Ok);
            });
        }
    }

    private sealed class AllOf(JwtRequirement[] parts) : JwtRequirement
    {
        public override void Verify(JwtVerification request, Action<JwtStatus> done) => From(request, 0, done);

        private void From(JwtVerification request, int index, Action<JwtStatus> done)
        {
            if (index == parts.Length)
            {
                done(JwtStatus.Ok);
                return;
            }
            parts[index].Verify(request, status =>
            {
                if (status != JwtStatus.Ok)
                {
                    done(status);
                    return;
                }
                From(request, index + 1, done);
            });
        }
    }

    /// <summary>The first success ends it; else the last failure counts, but a missing token never hides a wrong one.</summary>
    private sealed class AnyOf(JwtRequirement[] parts, bool allowMissing, bool allowFailed) : JwtRequirement
    {
        public override void Verify(JwtVerification request, Action<JwtStatus> done) => From(request, 0, JwtStatus.Missing, done);

        private void From(JwtVerification request, int index, JwtStatus soFar, Action<JwtStatus> done)
        {
            if (index == parts.Length)
            {
                done(allowFailed || (allowMissing && soFar == JwtStatus.Missing) ? JwtStatus.Ok : soFar);
                return;
            }
            parts[index].Verify(request, status =>
            {
                if (status == JwtStatus.Ok)
                {
                    done(status);
                    return;
                }
                From(request, index + 1, status == JwtStatus.Missing ? soFar : Worse(soFar, status), done);
            });
        }

        // Of several issuers' refusals the one of the token's own issuer says more than "not mine".
        private static JwtStatus Worse(JwtStatus soFar, JwtStatus status) =>
            status == JwtStatus.UnknownIssuer && soFar != JwtStatus.Missing ? soFar : status;
    }
}
