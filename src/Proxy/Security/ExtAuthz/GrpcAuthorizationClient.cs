using Envoy.Service.Auth.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.HeaderAppendAction;
using GrpcService = Envoy.Config.Core.V3.GrpcService;
using HeaderValueOption = Envoy.Config.Core.V3.HeaderValueOption;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>Asks envoy.service.auth.v3.Authorization.</summary>
internal sealed class GrpcAuthorizationClient : IAuthorizationClient
{
    private const string Service = "envoy.service.auth.v3.Authorization";

    private const string Method = "Check";

    /// <summary>Envoy's default of GrpcService.timeout here: 200 ms.</summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMilliseconds(200);

    private readonly GrpcAsyncClient _client;
    private readonly TimeSpan _timeout;

    /// <summary>An unknown cluster is no mistake of the configuration: checks fail until it comes.</summary>
    public GrpcAuthorizationClient(GrpcService config, FactoryContext context, string field)
    {
        _client = GrpcAsyncClient.Compile(config, context, field, mayBeUnknown: true);
        _timeout = config.Timeout ?? DefaultTimeout;
    }

    public IAsyncRequest? Check(CheckRequest request, in CheckContext context, IAuthorizationCallbacks callbacks)
    {
        var options = new AsyncRequestOptions
        {
            Formats = new LogContext(context.Headers, null, null, context.Info),
            ParentSpan = context.Span,
            SpanName = $"async {Service}.{Method} egress",
        };
        return _client.Call(Service, Method, request.Message.ToBytes(), new Answer(callbacks), _timeout, options);
    }

    /// <summary>The decision that an answer of the service says.</summary>
    public static CheckResult Read(CheckResponse response)
    {
        if ((response.Status?.Code ?? GrpcStatus.Ok) == GrpcStatus.Ok)
        {
            var allowed = new CheckResult { Status = CheckStatus.Ok, GrpcStatus = GrpcStatus.Ok };
            if (response.OkResponse is { } ok)
            {
                ReadAllowed(ok, allowed);
            }
            return WithMetadata(allowed, response);
        }
        if (response.ErrorResponse is { } error)
        {
            return WithMetadata(ReadAnswer(error, CheckStatus.Error, 0), response);
        }
        return WithMetadata(response.DeniedResponse is { } denied
            ? ReadAnswer(denied, CheckStatus.Denied, CheckResult.Forbidden)
            : new CheckResult { Status = CheckStatus.Denied, StatusCode = CheckResult.Forbidden, GrpcStatus = GrpcStatus.Ok }, response);
    }

    private static CheckResult ReadAnswer(DeniedHttpResponse answer, CheckStatus status, int defaultCode)
    {
        // A code that is none of a final answer would break the client's protocol.
        var code = (int)(answer.Status?.Code ?? 0);
        var result = new CheckResult
        {
            Status = status,
            StatusCode = code is >= 200 and < 600 ? code : defaultCode,
            Body = System.Text.Encoding.UTF8.GetBytes(answer.Body),
            GrpcStatus = GrpcStatus.Ok,
        };
        foreach (var option in answer.Headers)
        {
            // Each option is a line of the answer, whatever action it names: Set-Cookie may stand several times.
            result.HeadersToSet.Add(HeaderOf(option));
        }
        return result;
    }

    private static void ReadAllowed(OkHttpResponse ok, CheckResult result)
    {
        foreach (var option in ok.Headers)
        {
            (option.Append == true ? result.HeadersToAppend : result.HeadersToSet).Add(HeaderOf(option));
        }
        result.HeadersToRemove.AddRange(ok.HeadersToRemove);
        foreach (var parameter in ok.QueryParametersToSet)
        {
            result.QueryParametersToSet.Add(new UnsafeHeader(parameter.Key, parameter.Value));
        }
        result.QueryParametersToRemove.AddRange(ok.QueryParametersToRemove);
        foreach (var option in ok.ResponseHeadersToAdd)
        {
            if (ResponseListOf(option, result) is { } list)
            {
                list.Add(HeaderOf(option));
            }
            else
            {
                result.SawInvalidAction = true;
            }
        }
    }

    private static List<UnsafeHeader>? ResponseListOf(HeaderValueOption option, CheckResult result)
    {
        if (option.Append is { } append)
        {
            return append ? result.ResponseHeadersToAdd : result.ResponseHeadersToSet;
        }
        return option.AppendAction switch
        {
            AppendAction.AppendIfExistsOrAdd => result.ResponseHeadersToAdd,
            AppendAction.AddIfAbsent => result.ResponseHeadersToAddIfAbsent,
            AppendAction.OverwriteIfExistsOrAdd => result.ResponseHeadersToSet,
            AppendAction.OverwriteIfExists => result.ResponseHeadersToOverwriteIfExists,
            _ => null,
        };
    }

    private static UnsafeHeader HeaderOf(HeaderValueOption option) => new(option.Header?.Key ?? "", option.Header?.Value ?? "");

    private static CheckResult WithMetadata(CheckResult result, CheckResponse response)
    {
        // An older form lies in the ok_response; the newer one wins.
        if ((response.DynamicMetadata ?? response.OkResponse?.DynamicMetadata) is { } fields)
        {
            foreach (var (key, value) in fields.Fields)
            {
                result.DynamicMetadata[key] = MetadataConversion.ToValue(value);
            }
        }
        return result;
    }

    private sealed class Answer(IAuthorizationCallbacks callbacks) : IGrpcCallCallbacks
    {
        public void OnSuccess(ReadOnlyMemory<byte> response)
        {
            CheckResult result;
            try
            {
                result = Read(Message.Parse<CheckResponse>(response.Span));
            }
            catch (ProtobufException)
            {
                result = new CheckResult { Status = CheckStatus.Error, GrpcStatus = GrpcStatus.Internal };
            }
            callbacks.OnComplete(result);
        }

        public void OnFailure(int status, string message) =>
            callbacks.OnComplete(new CheckResult { Status = CheckStatus.Error, GrpcStatus = status });
    }
}
