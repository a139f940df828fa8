using Envoy.Admin.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/config_dump`: all configuration in use, or parts of it; secrets are never shown.</summary>
internal sealed class ConfigDumpEndpoint(ConfigTracker tracker)
{
    public AdminEndpoint Endpoint => new("/config_dump", "dump current Envoy configs (experimental)", false, Answer);

    private AdminResponse Answer(AdminQuery query)
    {
        DumpNameFilter names = static _ => true;
        if (query.Find("name_regex") is { Length: > 0 } pattern)
        {
            try
            {
                var regex = Re2Regex.Compile(pattern, "name_regex");
                names = name => regex.FullMatch(name);
            }
            catch (ConfigurationException error)
            {
                return AdminResponse.Text($"Error while parsing name_regex from {pattern}: {error.Message}", 400);
            }
        }
        var mask = query.Find("mask");
        var resource = query.Find("resource");
        var dump = ConfigDump.New();
        var sections = tracker.Sections.Where(section => section.Key != ConfigTracker.Endpoints || query.Has("include_eds"));
        var refusal = string.IsNullOrEmpty(resource)
            ? AddSections(dump, sections, mask, names)
            : AddElements(dump, sections, resource, mask, names);
        return refusal ?? AdminResponse.OfMessage(Redaction.Redact(dump.Message));
    }

    // A mask keeps the sections that know all its fields.
    private static AdminResponse? AddSections(
        ConfigDump dump, IEnumerable<KeyValuePair<string, Func<DumpNameFilter, Message>>> sections, string? maskText, DumpNameFilter names)
    {
        var mask = FieldMask.Parse(maskText);
        foreach (var (_, make) in sections)
        {
            var message = make(names);
            if (mask is null || mask.Trim(message))
            {
                dump.Configs.Add(new Any(message));
            }
        }
        return mask is not null && dump.Configs.Count == 0
            ? AdminResponse.Text($"FieldMask {maskText} could not be successfully applied to any configs.", 400)
            : null;
    }

    private static AdminResponse? AddElements(
        ConfigDump dump, IEnumerable<KeyValuePair<string, Func<DumpNameFilter, Message>>> sections, string resource, string? maskText,
        DumpNameFilter names)
    {
        var mask = FieldMask.Parse(maskText);
        foreach (var (_, make) in sections)
        {
            var message = make(names);
            if (message.Type.FindField(resource) is not { } field)
            {
                continue;
            }
            if (!field.IsRepeated || field.Kind != FieldKind.Message)
            {
                return AdminResponse.Text(
                    $"{resource} is not a repeated field. Use ?mask={resource} to get only this field", 400);
            }
            foreach (var element in message.GetMessages(field.Index))
            {
                if (mask is not null && !mask.Trim(element))
                {
                    return AdminResponse.Text($"FieldMask {maskText} could not be successfully applied to any configs.", 400);
                }
                dump.Configs.Add(new Any(element));
            }
            return null;
        }
        return AdminResponse.Text($"{resource} not found in config dump", 404);
    }
}
