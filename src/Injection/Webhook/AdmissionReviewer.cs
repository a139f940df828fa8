using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Offline;
using MeshProxy.Injection.Pods;
using MeshProxy.Injection.Templates;

namespace MeshProxy.Injection.Webhook;

/// <summary>
/// Answers an AdmissionReview (admission.k8s.io v1 and v1beta1): lets the pod through, through with a patch, or refuses
/// it with the reason. What goes wrong refuses: a pod without its proxy would be a hole in the mesh.
/// </summary>
internal sealed class AdmissionReviewer
{
    private readonly Func<WebhookConfiguration> _configuration;
    private readonly ReviewerSettings _settings;
    private readonly WebhookMetrics _metrics;
    private readonly Action<string> _log;

    public AdmissionReviewer(
        Func<WebhookConfiguration> configuration, ReviewerSettings settings, WebhookMetrics metrics, Action<string> log) =>
        (_configuration, _settings, _metrics, _log) = (configuration, settings, metrics, log);

    /// <summary>The answer as JSON; every input has one.</summary>
    public async ValueTask<byte[]> AnswerAsync(ReadOnlyMemory<byte> body, string path, CancellationToken stop)
    {
        _metrics.CountRequest();
        var began = Stopwatch.GetTimestamp();
        var answer = await ReviewAsync(body, path, stop).ConfigureAwait(false);
        _metrics.Observe(Stopwatch.GetElapsedTime(began));
        return JsonText.WriteUtf8(answer);
    }

    private async ValueTask<JsonObject> ReviewAsync(ReadOnlyMemory<byte> body, string path, CancellationToken stop)
    {
        JsonObject? review;
        try
        {
            review = JsonText.Parse(body.Span) as JsonObject;
        }
        catch (JsonException e)
        {
            return Refuse(null, $"the request is no JSON: it breaks at line {e.LineNumber + 1}, byte {e.BytePositionInLine}");
        }
        var (kind, version) = (review.Text("kind"), review.Text("apiVersion"));
        if (kind != "AdmissionReview" || version is not ("admission.k8s.io/v1" or "admission.k8s.io/v1beta1"))
            return Refuse(null, $"the request is \"{kind}\" of \"{version}\" and must be an AdmissionReview of admission.k8s.io/v1");
        if (review.Object("request") is not { } request)
            return Refuse(review, "the AdmissionReview has no request");
        if (request.Object("object") is not { } pod || Malformed(pod) is { })
            return Refuse(review, $"the object is no pod: {Malformed(request.Object("object"))}");
        try
        {
            return await InjectAsync(review!, request, pod, path, stop).ConfigureAwait(false);
        }
        catch (ManifestException e)
        {
            return Refuse(review, e.Message);
        }
        // Whatever else fails must be an answer too: the API server's own policy for a broken webhook may be Ignore.
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log($"injection failed: {e}");
            return Refuse(review, $"injection failed: {e.Message}");
        }
    }

    private async ValueTask<JsonObject> InjectAsync(
        JsonObject review, JsonObject request, JsonObject pod, string path, CancellationToken stop)
    {
        var configuration = _configuration();
        var space = pod.Object("metadata").Text("namespace") is { Length: > 0 } own ? own : request.Text("namespace") ?? "";
        var title = $"{space}/{pod.Object("metadata").Text("name") ?? pod.Object("metadata").Text("generateName")}";
        void Warn(string message) => _log($"pod {title}: {message}");

        // The field managers' bookkeeping can be larger than the pod and is nobody's concern here.
        pod.Object("metadata")?.Remove("managedFields");
        if (InjectionDecision.Decide(new PodDocument(pod.DeepClone().AsObject()), space, configuration.Values, Warn)
            is not InjectionDecision.Outcome.Inject and var outcome)
        {
            _metrics.CountSkipped();
            _log($"pod {title}: not injected ({outcome})");
            return Respond(review, new JsonObject { ["allowed"] = true });
        }
        var environment = InjectPath.Environment(path, Warn);
        var injected = PodInjector.Inject(new InjectionRequest
        {
            Pod = pod,
            Owner = WorkloadOwner.OfPod(pod.Object("metadata") ?? [], space),
            Values = configuration.Values,
            Mesh = configuration.Mesh,
            Revision = _settings.Revision,
            NativeSidecars = KnowNativeSidecars(pod, environment, configuration),
            Environment = environment,
            Identity = await _settings.Identity(space, stop).ConfigureAwait(false),
            CompliancePolicy = _settings.CompliancePolicy,
            Warn = Warn,
        });
        _metrics.CountInjected();
        var patch = JsonPatch.Between(pod, injected);
        return Respond(review, new JsonObject
        {
            ["allowed"] = true,
            ["patchType"] = "JSONPatch",
            ["patch"] = Convert.ToBase64String(JsonText.WriteUtf8(patch)),
        });
    }

    private bool KnowNativeSidecars(
        JsonObject pod, Dictionary<string, string> environment, WebhookConfiguration configuration)
    {
        if (_settings.NativeSidecars is not NativeSidecarMode.Auto)
            return _settings.NativeSidecars is NativeSidecarMode.Always;
        var ownCluster = configuration.Values.ClusterName is { Length: > 0 } name ? name : "Kubernetes";
        // Nodes of another cluster, whose webhook calls us, are not ours to look at.
        if (environment.GetValueOrDefault(MeshNames.ClusterVariable, ownCluster) != ownCluster)
            return false;
        return _settings.Nodes?.KnowNativeSidecars(pod.Object("spec").Text("nodeName")) ?? false;
    }

    private static string? Malformed(JsonObject? pod)
    {
        if (pod is null)
            return "there is none";
        if (NotOfType<JsonObject>(pod, "metadata", "spec") is { } part)
            return $"{part} must be a map";
        if (NotOfType<JsonObject>(pod.Object("metadata"), "labels", "annotations") is { } map)
            return $"metadata.{map} must be a map";
        return NotOfType<JsonArray>(pod.Object("spec"), "containers", "initContainers", "volumes", "imagePullSecrets") is { } list
            ? $"spec.{list} must be a list"
            : null;
    }

    private static string? NotOfType<T>(JsonObject? node, params ReadOnlySpan<string> names)
        where T : JsonNode
    {
        foreach (var name in names)
        {
            if (node?[name] is not (null or T))
                return name;
        }
        return null;
    }

    private JsonObject Refuse(JsonObject? review, string message)
    {
        _metrics.CountFailed();
        _log($"refused: {message}");
        return Respond(review, new JsonObject
        {
            ["allowed"] = false,
            ["status"] = new JsonObject { ["metadata"] = new JsonObject(), ["message"] = message },
        });
    }

    private static JsonObject Respond(JsonObject? review, JsonObject response)
    {
        var answer = new JsonObject();
        if (review is not null)
        {
            answer["kind"] = review.Text("kind");
            answer["apiVersion"] = review.Text("apiVersion");
        }
        response["uid"] = review.Object("request").Text("uid") ?? "";
        answer["response"] = response;
        return answer;
    }
}
