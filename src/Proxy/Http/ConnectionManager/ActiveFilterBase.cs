using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// Where one filter stands in one direction of a stream: whether it stopped, what it has seen, what waits for it
/// (Envoy's ActiveStreamFilterBase).
/// </summary>
internal abstract class ActiveFilterBase(FilterManager parent, string name) : IStreamFilterCallbacks
{
    protected enum Iteration
    {
        /// <summary>Everything passes.</summary>
        Continue,

        /// <summary>Headers (or data) wait here; data still reaches this filter.</summary>
        StopSingle,

        /// <summary>Nothing reaches this filter; the body is buffered up to the limit.</summary>
        StopAllBuffer,

        /// <summary>As before, with backpressure at the limit.</summary>
        StopAllWatermark,
    }

    protected FilterManager Parent { get; } = parent;

    public int Position { get; set; }

    public string FilterConfigName { get; } = name;

    protected Iteration State { get; set; }

    /// <summary>The filter stopped all kinds of frames, so that continuing begins with itself.</summary>
    public bool IterateFromCurrentFilter { get; private set; }

    public bool HeadersContinued { get; private set; }

    public bool Continued1xxHeaders { get; private set; }

    /// <summary>The end of the stream was given to the filter.</summary>
    public bool EndStream { get; set; }

    public bool StoppedAll => State is Iteration.StopAllBuffer or Iteration.StopAllWatermark;

    public bool CanIterate => State == Iteration.Continue;

    protected abstract bool CanContinue { get; }

    protected abstract bool Has1xxHeaders { get; }

    protected abstract bool HasHeaders { get; }

    protected abstract bool HasTrailers { get; }

    /// <summary>The peer's side of this direction is complete.</summary>
    protected abstract bool Complete { get; }

    protected abstract ByteBuffer? Buffered { get; }

    protected abstract ByteBuffer CreateBuffer();

    protected abstract void Do1xxHeaders();

    protected abstract void DoHeaders(bool endStream);

    protected abstract void DoData(bool endStream);

    protected abstract void DoTrailers();

    protected abstract void AfterBuffering();

    /// <summary>True when iteration goes on with the next filter.</summary>
    public bool AfterHeaders(FilterHeadersStatus status)
    {
        switch (status)
        {
            case FilterHeadersStatus.StopIteration:
                State = Iteration.StopSingle;
                return false;
            case FilterHeadersStatus.StopAllIterationAndBuffer:
                State = Iteration.StopAllBuffer;
                return false;
            case FilterHeadersStatus.StopAllIterationAndWatermark:
                State = Iteration.StopAllWatermark;
                return false;
            default:
                HeadersContinued = true;
                return true;
        }
    }

    public bool After1xxHeaders(FilterHeadersStatus status)
    {
        if (status == FilterHeadersStatus.StopIteration)
        {
            State = Iteration.StopSingle;
            return false;
        }
        Continued1xxHeaders = true;
        return true;
    }

    public bool AfterData(FilterDataStatus status, ByteBuffer data, ref bool streaming)
    {
        if (status == FilterDataStatus.Continue)
        {
            if (State != Iteration.StopSingle)
            {
                return true;
            }
            BufferData(data);
            CommonContinue();
            return false;
        }
        State = Iteration.StopSingle;
        if (status is FilterDataStatus.StopIterationAndBuffer or FilterDataStatus.StopIterationAndWatermark)
        {
            streaming = status == FilterDataStatus.StopIterationAndWatermark;
            BufferData(data);
        }
        else if (Complete && !HasTrailers && Buffered is null)
        {
            // The end came and is held without a body: an empty buffer lets the pipeline resume with an empty last frame.
            CreateBuffer();
        }
        return false;
    }

    public bool AfterTrailers(FilterTrailersStatus status)
    {
        if (status == FilterTrailersStatus.Continue)
        {
            if (State != Iteration.StopSingle)
            {
                return true;
            }
            CommonContinue();
            return false;
        }
        if (CanIterate)
        {
            State = Iteration.StopSingle;
        }
        return false;
    }

    /// <summary>True when the filter takes nothing now: the data was buffered.</summary>
    public bool HandleDataIfStopAll(ByteBuffer data, ref bool streaming)
    {
        if (!StoppedAll)
        {
            return false;
        }
        streaming = State == Iteration.StopAllWatermark;
        BufferData(data);
        return true;
    }

    /// <summary>A filter that stops and buffers again while the buffered body itself is passing leaves it where it is.</summary>
    public void BufferData(ByteBuffer data)
    {
        if (ReferenceEquals(Buffered, data))
        {
            return;
        }
        var buffer = Buffered ?? CreateBuffer();
        buffer.MoveFrom(data);
        AfterBuffering();
    }

    /// <summary>Forces the next continue to run, for headers held while a body was added.</summary>
    public void StopSingle() => State = Iteration.StopSingle;

    protected void CommonContinue()
    {
        if (!CanContinue)
        {
            return;
        }
        if (StoppedAll)
        {
            IterateFromCurrentFilter = true;
        }
        State = Iteration.Continue;
        if (Has1xxHeaders && !Continued1xxHeaders)
        {
            Continued1xxHeaders = true;
            Do1xxHeaders();
            if (!HasHeaders)
            {
                IterateFromCurrentFilter = false;
                return;
            }
        }
        if (!HeadersContinued)
        {
            HeadersContinued = true;
            DoHeaders(Complete && Buffered is null && !HasTrailers);
        }
        // DoData() itself goes on with trailers that a filter adds meanwhile.
        var hadTrailers = HasTrailers;
        if (Buffered is not null)
        {
            DoData(Complete && !hadTrailers);
        }
        if (hadTrailers)
        {
            DoTrailers();
        }
        IterateFromCurrentFilter = false;
    }

    public Connection Connection => Parent.Owner.Connection;

    public EventLoop Loop => Parent.Owner.Loop;

    public StreamInfo StreamInfo => Parent.Owner.StreamInfo;

    public ulong StreamId => Parent.Owner.StreamId;

    public Route? Route => Parent.Owner.Route;

    public Upstream.ICluster? ClusterInfo => Parent.Owner.ClusterInfo;

    public void ClearRouteCache() => Parent.Owner.ClearRouteCache();

    public T? MostSpecificPerFilterConfig<T>()
        where T : class => Route?.MostSpecificPerFilterConfig(FilterConfigName) as T;

    public void TraversePerFilterConfig<T>(Action<T> visit)
        where T : class => Route?.TraversePerFilterConfig(FilterConfigName, config =>
        {
            if (config is T typed)
            {
                visit(typed);
            }
        });

    public void ResetStream(StreamResetReason reason) => Parent.Owner.ResetStream(reason);

    public HeaderMap? RequestHeaders => Parent.Owner.RequestHeaders;

    public HeaderMap? RequestTrailers => Parent.Owner.RequestTrailers;

    public HeaderMap? ResponseHeaders => Parent.Owner.ResponseHeaders;

    public HeaderMap? ResponseTrailers => Parent.Owner.ResponseTrailers;

    public ISpan ActiveSpan => Parent.Owner.ActiveSpan;
}
