using System.Collections.Immutable;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Rules;

/// <summary>One condition of a rule.</summary>
public abstract record Match
{
    private Match()
    {
    }

    public sealed record InInterface(string Name) : Match;

    public sealed record OutInterface(string Name) : Match;

    public sealed record Source(AddressRange Range) : Match;

    public sealed record Destination(AddressRange Range, bool Not = false) : Match;

    public sealed record Protocol(Transport Transport) : Match;

    public sealed record SourcePort(Transport Transport, int Port) : Match;

    /// <summary>The destination port is the one listed, or with <see cref="Not"/> none of those listed.</summary>
    public sealed record DestinationPort(Transport Transport, ImmutableArray<int> Ports, bool Not = false) : Match;

    /// <summary>Owner of the socket that sends, by number or name.</summary>
    public sealed record User(string Id, bool Not = false) : Match;

    public sealed record Group(string Id, bool Not = false) : Match;

    public sealed record PacketMark(uint Mark, bool Not = false) : Match;

    public sealed record ConnectionMark(uint Mark) : Match;

    public sealed record State(ConnectionStates States) : Match;
}
