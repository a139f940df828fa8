using System.Collections.Immutable;
using System.Globalization;

namespace MeshProxy.Interception.Settings;

/// <summary>
/// Reads settings from flag values, then environment, then defaults; an explicit flag wins. Everything is checked here,
/// before anything touches the kernel: a bad value is refused with its flag's name.
/// </summary>
public sealed class SettingsReader(Func<string, string?> flag, Func<string, string?> environment)
{
    /// <exception cref="InterceptionException">A value is malformed.</exception>
    public InterceptionSettings Read()
    {
        var users = Names(Flags.ProxyUid, Text(Flags.ProxyUid) is { Length: > 0 } given ? given : DefaultUser());
        var groups =
            Names(Flags.ProxyGid, Text(Flags.ProxyGid) is { Length: > 0 } group ? group : string.Join(',', users));
        return new InterceptionSettings
        {
            OutboundCapturePort = Port(Flags.OutboundCapturePort, Ports.OutboundCapture),
            InboundCapturePort = Port(Flags.InboundCapturePort, Ports.InboundCapture),
            InboundTunnelPort = Port(Flags.InboundTunnelPort, Ports.InboundTunnel),
            ProxyUsers = users,
            ProxyGroups = groups,
            TransparentInbound = Text(Flags.Mode) == "TPROXY",
            InboundPorts = ReadInboundPorts(),
            ExcludedInboundPorts = PortList(Flags.InboundExclude),
            ExcludedInterfaces = Interfaces(Flags.ExcludeInterfaces),
            OutboundRanges = ReadOutboundRanges(),
            ExcludedOutboundRanges = Ranges(Flags.OutboundRangesExclude),
            OutboundPorts = PortList(Flags.OutboundPorts),
            ExcludedOutboundPorts = PortList(Flags.OutboundExclude),
            VirtualInterfaces = Interfaces(Flags.VirtualInterfaces),
            OwnerGroups = ReadOwnerGroups(),
            ExcludedOwnerGroups =
                Names(Flags.OwnerGroupsExcludeEnvironment, environment(Flags.OwnerGroupsExcludeEnvironment)),
            IPv4Loopback = ReadLoopback(),
            TransparentMark = (uint)Number(Flags.Mark, 1337, 1, uint.MaxValue),
            TransparentRouteTable = (int)Number(Flags.RouteTable, 133, 1, int.MaxValue),
            RedirectDns = Bool(Flags.RedirectDns),
            CaptureAllDns = Bool(Flags.CaptureAllDns),
            DropInvalid = Bool(Flags.DropInvalid),
            DualStack = Bool(Flags.DualStack),
            NativeNftables = Bool(Flags.NativeNftables),
            ForcedIptables = ReadForcedIptables(),
            NetworkNamespace = Text(Flags.NetworkNamespace) ?? "",
            CniMode = Bool(Flags.CniMode),
            DryRun = Bool(Flags.DryRun),
            DryRunFile = environment(Flags.DryRunFileEnvironment) ?? "",
            SkipApply = Bool(Flags.SkipApply),
            RunValidation = Bool(Flags.RunValidation),
            ProbePort = Port(Flags.ProbePort, Ports.Probe),
            ProbeTimeout = Duration(Flags.ProbeTimeout, TimeSpan.FromSeconds(5)),
            Reconcile = Bool(Flags.Reconcile),
            CleanupOnly = Bool(Flags.CleanupOnly),
            ForceApply = Bool(Flags.ForceApply),
        };
    }

    private string? Text(string name)
    {
        if (flag(name) is { } given)
            return given;
        var definition = Flags.All.First(f => f.Name == name);
        if (!definition.FromEnvironment)
            return null;
        return NotEmpty(environment(definition.EnvironmentName))
            ?? (definition.OtherEnvironment is { } other ? NotEmpty(environment(other)) : null);
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    // The spellings Go's strconv.ParseBool takes, because templates and environments are written for it.
    private bool Bool(string name) => Text(name) switch
    {
        null => false,
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        var other => throw Bad(name, other, "is neither true nor false"),
    };

    private long Number(string name, long absent, long least, long most)
    {
        if (Text(name) is not { Length: > 0 } text)
            return absent;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            || value < least || value > most)
            throw Bad(name, text, $"is not a number from {least} to {most}");
        return value;
    }

    private int Port(string name, int absent) => (int)Number(name, absent, 0, ushort.MaxValue);

    private ImmutableArray<int> PortList(string name) => ParsePorts(name, Text(name));

    private static ImmutableArray<int> ParsePorts(string name, string? text) =>
        [.. Members(text).Select(member =>
            ushort.TryParse(member, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? port
                : throw Bad(name, member, "is not a port from 0 to 65535"))];

    private InboundPorts ReadInboundPorts() =>
        Text(Flags.InboundPorts) is "*"
            ? new InboundPorts(true, [])
            : new InboundPorts(false, PortList(Flags.InboundPorts));

    private OutboundRanges ReadOutboundRanges() =>
        Text(Flags.OutboundRanges) is "*"
            ? new OutboundRanges(true, [])
            : new OutboundRanges(false, Ranges(Flags.OutboundRanges));

    private ImmutableArray<AddressRange> Ranges(string name) =>
        [.. Members(Text(name)).Select(member =>
            AddressRange.TryParse(member, out var range)
                ? range!
                : throw Bad(name, member, "is not a range like 10.0.0.0/8 or 2001:db8::/32"))];

    // Interface names end up as arguments of iptables and in nft scripts: only what the kernel allows in them gets
    // there.
    private ImmutableArray<string> Interfaces(string name) =>
        [.. Members(Text(name)).Select(member =>
            member.Length <= 15 && !member.AsSpan().ContainsAny("/\"';{}\\ \t\r\n!")
                ? member
                : throw Bad(name, member, "is not an interface's name (15 characters, no blanks, quotes or slashes)"))];

    private static ImmutableArray<string> Names(string name, string? text) =>
        [.. Members(text).Select(member =>
            member.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') && !member.StartsWith('-')
                ? member
                : throw Bad(name, member, "is neither a number nor the name of a user or group"))];

    private static IEnumerable<string> Members(string? text) =>
        (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private ImmutableArray<string> ReadOwnerGroups()
    {
        var text = environment(Flags.OwnerGroupsEnvironment);
        if (text is null or "" or "*")
            return [];
        var groups = Names(Flags.OwnerGroupsEnvironment, text);
        if (groups.Length > Owners.MaxOwnerGroups)
            throw new InterceptionException(
                $"{Flags.OwnerGroupsEnvironment} names {groups.Length} groups, and one rule holds at most "
                + $"{Owners.MaxOwnerGroups}: "
                + $"name fewer, or exclude groups with {Flags.OwnerGroupsExcludeEnvironment}.");
        return groups;
    }

    private AddressRange ReadLoopback()
    {
        if (environment(Flags.LoopbackEnvironment) is not { Length: > 0 } text)
            return Owners.IPv4Loopback;
        if (!AddressRange.TryParse(text, out var range) || range!.IsIPv6 || !range.IsLoopback || range.PrefixLength < 8)
            throw Bad(Flags.LoopbackEnvironment, text, "is not a range inside 127.0.0.0/8");
        return range;
    }

    private string ReadForcedIptables() => Text(Flags.ForceIptables) switch
    {
        null or "" => "",
        "legacy" => "legacy",
        "nft" => "nft",
        var other => throw Bad(Flags.ForceIptables, other, "is neither legacy nor nft"),
    };

    private TimeSpan Duration(string name, TimeSpan absent)
    {
        if (Text(name) is not { Length: > 0 } text)
            return absent;
        return GoDuration.TryParse(text, out var value) && value > TimeSpan.Zero
            ? value
            : throw Bad(name, text, "is not a time above zero like 5s or 1m30s");
    }

    private string DefaultUser() =>
        AccountNames.UserId(environment(Flags.ProxyUserEnvironment) is { Length: > 0 } user ? user : "istio-proxy")
            ?? Owners.DefaultId;

    private static InterceptionException Bad(string name, string value, string why)
    {
        var shown = char.IsAsciiLetterUpper(name[0]) ? name : "--" + name;
        return new InterceptionException($"The value \"{value}\" of {shown} {why}.");
    }
}
