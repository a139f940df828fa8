using System.Text.Json.Nodes;

namespace MeshProxy.Injection.Templates;

/// <summary>A shape that is laid over a pod.</summary>
internal interface ITemplate
{
    /// <summary>A partial pod, `metadata` and `spec`, that is merged strategically into the user's.</summary>
    JsonObject Render(TemplateInput input, SidecarDecision decision);
}
