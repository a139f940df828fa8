using System.Text.Json.Nodes;

namespace MeshProxy.Interception.Cni;

/// <summary>One call of the runtime: a verb, its environment and the network configuration on standard input.</summary>
internal sealed record CniRequest(
    string Command, string ContainerId, string Namespace, string Interface, string Arguments, JsonObject Input)
{
    // Interface names: the kernel's limit without its final zero (linux/if.h IFNAMSIZ).
    private const int LongestInterface = 15;

    public string Version => Json.String(Input, "cniVersion") is { Length: > 0 } version ? version : "0.1.0";

    /// <exception cref="CniException">A variable is missing or malformed, or the input is no JSON object.</exception>
    public static CniRequest Read(Func<string, string?> environment, TextReader input)
    {
        var command = environment("CNI_COMMAND") ?? "";
        var text = input.ReadToEnd();
        if (command == "VERSION" && text.Trim().Length == 0)
            text = "{}";
        var parsed = Json.TryParse(text)
            ?? throw new CniException(
                CniException.Decoding, "The network configuration on standard input is not a JSON object.");
        var request = new CniRequest(
            command,
            environment("CNI_CONTAINERID") ?? "",
            environment("CNI_NETNS") ?? "",
            environment("CNI_IFNAME") ?? "",
            environment("CNI_ARGS") ?? "",
            parsed);
        request.RequireVariables(environment);
        return request;
    }

    /// <summary>Key and value pairs of CNI_ARGS.</summary>
    public IReadOnlyDictionary<string, string> ParseArguments()
    {
        var pairs = new Dictionary<string, string>();
        foreach (var pair in Arguments.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.Split('=', 2) is not [var key, var value])
                throw new CniException(
                    CniException.BadEnvironment, $"CNI_ARGS has \"{pair}\", which is no KEY=VALUE pair.");
            pairs[key] = value;
        }
        return pairs;
    }

    private void RequireVariables(Func<string, string?> environment)
    {
        string[] needed = Command switch
        {
            "ADD" or "CHECK" => ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
            "DEL" => ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
            "STATUS" or "GC" => ["CNI_PATH"],
            "VERSION" => [],
            _ => throw new CniException(
                CniException.BadEnvironment, $"CNI_COMMAND is \"{Command}\", which is no verb of CNI."),
        };
        var missing = needed.Where(name => string.IsNullOrEmpty(environment(name))).ToList();
        if (missing.Count > 0)
            throw new CniException(
                CniException.BadEnvironment,
                $"Environment variables are missing for {Command}: {string.Join(", ", missing)}.");
        if (ContainerId.Length > 0 && !IsIdentifier(ContainerId))
            throw new CniException(
                CniException.BadEnvironment,
                $"CNI_CONTAINERID \"{ContainerId}\" is not letters, digits, _, . and - after a letter or digit.");
        if (Interface.Length > 0 && !IsInterface(Interface))
            throw new CniException(
                CniException.BadEnvironment, $"CNI_IFNAME \"{Interface}\" is no name of an interface.");
    }

    // The specification's section "Parameters"; both become parts of a file's name.
    private static bool IsIdentifier(string text) =>
        char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private static bool IsInterface(string text) =>
        text.Length <= LongestInterface && text is not ("." or "..")
            && !text.Any(c => c is '/' or ':' || char.IsWhiteSpace(c));
}
