using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>
/// A user tunes an injected container by writing it into the pod: its fields win over the template's, and an annotation
/// keeps them for the next injection.
/// </summary>
internal static class UserOverrides
{
    // In a gateway's manifest, which has no image of its own: use the mesh's.
    private const string AutomaticImage = "auto";

    /// <param name="pod">The pod with the template merged in.</param>
    /// <param name="original">The pod as the user wrote it, without an earlier injection.</param>
    /// <param name="template">The rendered template, which says which containers are injected.</param>
    /// <param name="alreadyInjected">Whether an earlier injection has recorded the overrides.</param>
    public static void Reapply(PodDocument pod, PodDocument original, PodDocument template, bool alreadyInjected)
    {
        var record = new JsonObject();
        foreach (var kind in new[] { "containers", "initContainers" })
        {
            foreach (var injected in template.Spec.Members(kind))
            {
                var name = injected.Text("name");
                if (original.AllContainers().FirstOrDefault(container => container.Text("name") == name) is not { } users)
                    continue;
                var fields = Own(users);
                record.RequireList(kind).Add(fields.DeepClone());
                StrategicMerge.Apply(pod.Spec, new JsonObject { [kind] = new JsonArray(fields) });
            }
        }
        if (record.Count > 0 && !alreadyInjected)
            pod.Annotations[MeshNames.Overrides] = record.Compact();
        FollowUser(pod, original);
    }

    private static JsonObject Own(JsonObject container)
    {
        var own = container.DeepClone().AsObject();
        if (own.Text("image") == AutomaticImage)
            own.Remove("image");
        foreach (var name in own.Where(entry => entry.Value is null).Select(entry => entry.Key).ToList())
            own.Remove(name);
        // Kubernetes' type writes it always; istioctl and older injectors expect the annotation in that form.
        own.TryAdd("resources", new JsonObject());
        return own;
    }

    /// <summary>
    /// Rules let the proxy's own traffic pass by its user: when a pod runs the proxy as another user, the rules and their
    /// validation must follow.
    /// </summary>
    private static void FollowUser(PodDocument pod, PodDocument original)
    {
        var chosen = original.Proxy().Object("securityContext");
        var (user, group) = (chosen.Number("runAsUser"), chosen.Number("runAsGroup"));
        if (user is null && group is null)
            return;
        if (pod.Spec.Named("initContainers", MeshNames.ValidationContainer) is { } validation)
        {
            var security = validation.Require("securityContext");
            if (user is not null)
                security["runAsUser"] = user;
            if (group is not null)
                security["runAsGroup"] = group;
        }
        var init = pod.Spec.Named("initContainers", MeshNames.InitContainer)
            ?? pod.Spec.Named("initContainers", MeshNames.ValidationContainer);
        if (init is null)
            return;
        if (Argument(init, "-m") == "TPROXY")
            // Transparent sockets need the capability, which a user that is not root does not keep.
            pod.Proxy()!.Require("securityContext")["runAsUser"] = 0;
        else if (user is not (null or 0))
            SetArgument(init, "-u", user.Value.ToString(CultureInfo.InvariantCulture));
    }

    private static string? Argument(JsonObject container, string flag)
    {
        var list = container.List("args") ?? [];
        for (var k = 0; k + 1 < list.Count; k++)
        {
            if (NodeReading.AsText(list[k]) == flag)
                return NodeReading.AsText(list[k + 1]);
        }
        return null;
    }

    private static void SetArgument(JsonObject container, string flag, string value)
    {
        var list = container.List("args") ?? [];
        for (var k = 0; k + 1 < list.Count; k++)
        {
            if (NodeReading.AsText(list[k]) == flag)
                list[k + 1] = value;
        }
    }
}
