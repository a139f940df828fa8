using MeshProxy.Proxy.Configuration;
using Config = Envoy.Extensions.Filters.Http.StatefulSession.V3.StatefulSession;
using CookieConfig = Envoy.Extensions.Http.StatefulSession.Cookie.V3.CookieBasedSessionState;
using HeaderConfig = Envoy.Extensions.Http.StatefulSession.Header.V3.HeaderBasedSessionState;

namespace MeshProxy.Proxy.Http.Filters.StatefulSession;

/// <summary>Where the session is kept, and whether only its endpoint will do. No state: off.</summary>
internal sealed record SessionSettings(SessionState? State, bool Strict)
{
    public static readonly SessionSettings Off = new(null, false);

    public static SessionSettings Compile(Config config)
    {
        if (config.SessionState is not { } state)
        {
            return Off;
        }
        if (state.TypedConfig?.TryUnpack<CookieConfig>(out var cookie) == true)
        {
            return new SessionSettings(new CookieSession(
                cookie.Cookie ?? throw new ConfigurationException("stateful_session.session_state.cookie: is missing; set it.")), config.Strict);
        }
        if (state.TypedConfig?.TryUnpack<HeaderConfig>(out var header) == true)
        {
            return new SessionSettings(new HeaderSession(header.Name), config.Strict);
        }
        throw new ConfigurationException($"stateful_session.session_state: Didn't find a registered implementation for '{state.Name}'; use a cookie or a header.");
    }
}
