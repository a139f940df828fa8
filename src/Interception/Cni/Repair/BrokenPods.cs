using System.Text.Json.Nodes;

namespace MeshProxy.Interception.Cni.Repair;

/// <summary>
/// Recognises pods that started without rules: their validating init container ended with 126 and is started again and
/// again.
/// </summary>
internal static class BrokenPods
{
    private const string ValidationContainer = "istio-validation";
    private const string Status = "sidecar.istio.io/status";

    public static bool IsBroken(JsonObject pod)
    {
        if (Json.Object(Json.Object(pod, "metadata"), "annotations")?.ContainsKey(Status) != true)
            return false;
        var statuses = Json.Array(Json.Object(pod, "status"), "initContainerStatuses")?.OfType<JsonObject>() ?? [];
        return statuses.Any(status => Json.String(status, "name") == ValidationContainer && Failed(status));
    }

    // Ended so now, or ended so before and not running or done since.
    private static bool Failed(JsonObject status)
    {
        if (Json.Object(Json.Object(status, "state"), "terminated") is { } ended)
            return Json.Integer(ended, "exitCode") == Initializer.ValidationFailure;
        var last = Json.Object(Json.Object(status, "lastState"), "terminated");
        return Json.Object(Json.Object(status, "state"), "waiting") is not null
            && Json.Integer(last, "exitCode") == Initializer.ValidationFailure;
    }
}
