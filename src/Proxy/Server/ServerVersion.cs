using System.Reflection;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;

namespace MeshProxy.Proxy.Server;

/// <summary>What this build calls itself.</summary>
public static class ServerVersion
{
    /// <summary>The Envoy whose behaviour, API and admin interface are offered.</summary>
    public const string EnvoyCompatible = "1.40.0";

    public const string Number = "0.1.0";

    /// <summary>`meshproxy  version: COMMIT/VERSION/STATE/TYPE/SSL`, in the form tools parse out of Envoy's --version.</summary>
    public static string Text => $"meshproxy  version: meshproxy-{Number}/{EnvoyCompatible}/Clean/RELEASE/OpenSSL";

    /// <summary>`server.version`: the compatible version as one number, 1040000 for 1.40.0.</summary>
    public const long AsNumber = 1_040_000;

    /// <summary>
    /// `COMMIT/VERSION/STATE/TYPE/SSL` for /server_info, word for word in Envoy's form: dashboards and tools take it apart. The
    /// commit is this build's.
    /// </summary>
    public static string Admin { get; } = $"{Commit}/{EnvoyCompatible}/Clean/RELEASE/BoringSSL";

    /// <summary>For the node's user_agent_build_version.</summary>
    public static SemanticVersion Semantic
    {
        get
        {
            var version = SemanticVersion.New();
            version.MajorNumber = 1;
            version.MinorNumber = 40;
            version.Patch = 0;
            return version;
        }
    }

    /// <summary>Metadata of user_agent_build_version, with Envoy's names.</summary>
    public static Struct BuildFacts
    {
        get
        {
            var facts = Struct.New();
            foreach (var (name, text) in new[]
            {
                ("build.type", "RELEASE"), ("revision.sha", Commit), ("revision.status", "Clean"), ("ssl.version", "OpenSSL"),
                ("meshproxy.version", Number),
            })
            {
                var value = Value.New();
                value.StringValue = text;
                facts.Fields.Set(name, value);
            }
            return facts;
        }
    }

    // The SDK appends the commit to the informational version; builds without repository have none.
    private static string Commit
    {
        get
        {
            var version = typeof(ServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
            var plus = version?.IndexOf('+') ?? -1;
            return plus >= 0 && version!.Length - plus - 1 == 40 ? version[(plus + 1)..] : new string('0', 40);
        }
    }
}
