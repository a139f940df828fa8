using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>What spans of all providers keep: name, times, tags and events. Used on one loop.</summary>
internal abstract class TracedSpan(SpanSettings settings, string operation, DateTime start) : ISpan
{
    private bool _finished;

    public SpanSettings? Settings => settings;

    public bool Records => Sampled;

    public bool Sampled { get; protected set; }

    public string Operation { get; private set; } = operation;

    public DateTime Start { get; } = start;

    public DateTime End { get; private set; }

    public List<(string Name, string Value)> Tags { get; } = [];

    public List<(DateTime Time, string Text)> Events { get; } = [];

    public abstract string TraceId { get; }

    public abstract string SpanId { get; }

    public void SetOperation(string operation) => Operation = operation;

    public virtual void SetTag(string name, string value)
    {
        if (!Sampled || name.Length == 0)
        {
            return;
        }
        var known = Tags.FindIndex(tag => tag.Name == name);
        if (known >= 0)
        {
            Tags[known] = (name, value);
            return;
        }
        Tags.Add((name, value));
    }

    public void Log(DateTime time, string text)
    {
        if (Sampled)
        {
            Events.Add((time, text));
        }
    }

    public void SetSampled(bool sampled) => Sampled = sampled;

    public void Finish()
    {
        if (_finished)
        {
            return;
        }
        _finished = true;
        if (Sampled)
        {
            End = DateTime.UtcNow;
            Report();
        }
    }

    public abstract void InjectContext(HeaderMap headers, Upstream.Host? host);

    public abstract ISpan SpawnChild(string operation, DateTime start);

    protected abstract void Report();
}
