using System.Buffers;
using System.Text;
using Envoy.Extensions.Filters.Common.SetFilterState.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Network.FilterStates;

/// <summary>A compiled list of FilterStateValue: formats each and sets it, for the set_filter_state filters of all layers.</summary>
public sealed class FilterStateAssignments
{
    private readonly Assignment[] _assignments;

    private FilterStateAssignments(Assignment[] assignments) => _assignments = assignments;

    public bool IsEmpty => _assignments.Length == 0;

    /// <exception cref="ConfigurationException">An object's kind is unknown, or its format is not understood.</exception>
    public static FilterStateAssignments Compile(MessageList<FilterStateValue> values)
    {
        var assignments = new List<Assignment>();
        foreach (var value in values)
        {
            var factory = value.FactoryKey.Length > 0 ? value.FactoryKey : value.ObjectKey;
            assignments.Add(new Assignment(
                value.ObjectKey,
                FilterStateFactories.Find(factory) ?? throw new ConfigurationException(
                    $"'{value.ObjectKey}' does not have an object factory; name one in factory_key, e.g. envoy.string."),
                SubstitutionFormat.Compile(value.FormatString ?? throw new ConfigurationException(
                    $"'{value.ObjectKey}' has no format_string; give it."), "format_string"),
                (FilterStateSharing)value.SharedWithUpstreamValue,
                value.ReadOnly,
                value.SkipIfEmpty));
        }
        return new FilterStateAssignments([.. assignments]);
    }

    /// <summary>Sets all; a text that its kind does not take leaves that object unset.</summary>
    public void Apply(in LogContext context, FilterStateLifeSpan lifeSpan)
    {
        foreach (var assignment in _assignments)
        {
            var output = new ArrayBufferWriter<byte>();
            assignment.Format.Format(context, output);
            if (output.WrittenCount == 0 && assignment.SkipIfEmpty)
            {
                continue;
            }
            if (assignment.Factory(Encoding.UTF8.GetString(output.WrittenSpan)) is { } value)
            {
                context.StreamInfo.FilterState.Set(assignment.Key, value, lifeSpan, assignment.Sharing, assignment.ReadOnly);
            }
        }
    }

    private sealed record Assignment(
        string Key, Func<string, IFilterStateObject?> Factory, IFormatter Format, FilterStateSharing Sharing, bool ReadOnly, bool SkipIfEmpty);
}
