namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Hears of the outcomes of one host's requests, from any loop; tells the detector when a row of failures is long enough.</summary>
internal sealed class OutlierMonitor(OutlierDetector detector, HostImpl host) : IOutlierMonitor
{
    private int _consecutive5xx;
    private int _consecutiveGateway;
    private int _consecutiveLocal;

    public SuccessRateBucket External { get; } = new();

    public SuccessRateBucket LocalOrigin { get; } = new();

    /// <summary>How often it was ejected.</summary>
    public int NumEjections { get; private set; }

    public bool Ejected => host.Has(HealthFlags.FailedOutlierCheck);

    /// <summary>Multiplies the ejection time; grows with ejections, shrinks while all is well.</summary>
    public int Backoff { get; set; }

    /// <summary>Loop milliseconds.</summary>
    public long LastEjection { get; private set; }

    public long? LastUneject { get; private set; }

    public bool WasEjected => NumEjections > 0;

    /// <summary>Added to the ejection time of the present ejection.</summary>
    public long JitterMilliseconds { get; private set; }

    public void PutHttpResponseCode(int code)
    {
        var isError = code is >= 500 and < 600;
        External.CountRequest(!isError);
        if (!isError)
        {
            Volatile.Write(ref _consecutive5xx, 0);
            Volatile.Write(ref _consecutiveGateway, 0);
            return;
        }
        if (code is 502 or 503 or 504)
        {
            if ((ulong)Interlocked.Increment(ref _consecutiveGateway) == detector.Options.ConsecutiveGatewayFailure)
            {
                detector.Report(host, EjectionType.ConsecutiveGatewayFailure);
            }
        }
        else
        {
            Volatile.Write(ref _consecutiveGateway, 0);
        }
        if ((ulong)Interlocked.Increment(ref _consecutive5xx) == detector.Options.Consecutive5xx)
        {
            detector.Report(host, EjectionType.Consecutive5xx);
        }
    }

    public void PutResult(OutlierResult result, int code = 0)
    {
        if (detector.Options.SplitLocalOrigin)
        {
            PutSplit(result, code);
        }
        else if (code != 0)
        {
            PutHttpResponseCode(code);
        }
        else if (CodeOf(result) is { } own)
        {
            PutHttpResponseCode(own);
        }
    }

    public void PutResponseTime(TimeSpan time)
    {
    }

    public void Eject(long now, long jitter)
    {
        host.Set(HealthFlags.FailedOutlierCheck);
        NumEjections++;
        LastEjection = now;
        JitterMilliseconds = jitter;
    }

    public void Uneject(long now)
    {
        host.Clear(HealthFlags.FailedOutlierCheck);
        LastUneject = now;
        ResetConsecutive();
    }

    public void Reset(EjectionType type)
    {
        switch (type)
        {
            case EjectionType.Consecutive5xx:
                Volatile.Write(ref _consecutive5xx, 0);
                break;
            case EjectionType.ConsecutiveGatewayFailure:
                Volatile.Write(ref _consecutiveGateway, 0);
                break;
            case EjectionType.ConsecutiveLocalOriginFailure:
                Volatile.Write(ref _consecutiveLocal, 0);
                break;
        }
    }

    // A row that is nearly full must not eject the host again after very few errors.
    public void ResetConsecutive()
    {
        Volatile.Write(ref _consecutive5xx, 0);
        Volatile.Write(ref _consecutiveGateway, 0);
        Volatile.Write(ref _consecutiveLocal, 0);
    }

    private void PutSplit(OutlierResult result, int code)
    {
        switch (result)
        {
            case OutlierResult.LocalOriginConnectSuccess or OutlierResult.LocalOriginConnectSuccessFinal:
                LocalOrigin.CountRequest(true);
                Volatile.Write(ref _consecutiveLocal, 0);
                break;
            case OutlierResult.LocalOriginTimeout or OutlierResult.LocalOriginConnectFailed:
                LocalOrigin.CountRequest(false);
                if ((ulong)Interlocked.Increment(ref _consecutiveLocal) == detector.Options.ConsecutiveLocalOriginFailure)
                {
                    detector.Report(host, EjectionType.ConsecutiveLocalOriginFailure);
                }
                break;
            default:
                PutHttpResponseCode(code != 0 ? code : CodeOf(result)!.Value);
                break;
        }
    }

    // Success of the connect alone says nothing of an HTTP host: null.
    private static int? CodeOf(OutlierResult result) => result switch
    {
        OutlierResult.ExtOriginRequestSuccess or OutlierResult.LocalOriginConnectSuccessFinal => 200,
        OutlierResult.LocalOriginTimeout => 504,
        OutlierResult.LocalOriginConnectFailed => 503,
        OutlierResult.ExtOriginRequestFailed => 500,
        _ => null,
    };
}
