using System.Buffers.Text;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// One exchange on an HTTP/1 connection: writes the outgoing message and is its stream. Heads are formatted in one go into
/// the connection's output. Reused by its connection for later exchanges.
/// </summary>
internal abstract class Http1Stream(Http1Connection connection) : IHttpStream, IStreamEncoder
{
    private readonly List<IStreamCallbacks> _callbacks = [];
    private int _readDisables;
    private bool _reset;

    protected Http1Connection Codec { get; } = connection;

    protected bool ChunkedOut { get; set; }

    /// <summary>The message ends the connection's sending side: a tunnel.</summary>
    protected bool EndsConnection { get; set; }

    /// <summary>The whole outgoing message was handed to the connection.</summary>
    public bool EncodeComplete { get; private set; }

    public IHttpStream Stream => this;

    public uint BufferLimit => Codec.Connection.BufferLimit;

    public string ResponseDetails { get; set; } = "";

    public Connection Connection => Codec.Connection;

    public StreamByteCounts Bytes { get; } = new();

    public void AddCallbacks(IStreamCallbacks callbacks) => _callbacks.Add(callbacks);

    public void RemoveCallbacks(IStreamCallbacks callbacks) => _callbacks.RemoveReference(callbacks);

    public void ReadDisable(bool disable)
    {
        _readDisables += disable ? 1 : -1;
        Codec.Connection.ReadDisable(disable);
    }

    /// <summary>What is written goes to the connection at once, whose own limits and time-outs apply.</summary>
    public void SetFlushTimeout(TimeSpan timeout)
    {
    }

    /// <summary>Tells the callbacks; the owner of the connection closes it, as HTTP/1 knows no other way to end a message early.</summary>
    public void ResetStream(StreamResetReason reason)
    {
        if (_reset)
        {
            return;
        }
        _reset = true;
        Codec.OnReset();
        RunResetCallbacks(reason);
    }

    public void EncodeData(ByteBuffer data, bool endStream)
    {
        if (!data.IsEmpty)
        {
            Bytes.WireBytesSent += data.Length;
            if (ChunkedOut)
            {
                WriteChunk(data);
            }
            else
            {
                Codec.Connection.Write(data, false);
            }
        }
        if (endStream)
        {
            End();
        }
    }

    public void EncodeTrailers(HeaderMap trailers)
    {
        if (!ChunkedOut || !Codec.Settings.EnableTrailers)
        {
            End();
            return;
        }
        var output = Codec.Output;
        output.Append("0\r\n"u8);
        Http1HeadWriter.WriteTrailers(output, trailers, FormatterOf(trailers));
        Bytes.HeaderBytesSent += output.Length;
        ChunkedOut = false;
        End();
    }

    internal void OnAboveWatermark()
    {
        for (var i = 0; i < _callbacks.Count; i++)
        {
            _callbacks[i].OnAboveWriteBufferHighWatermark();
        }
    }

    internal void OnBelowWatermark()
    {
        for (var i = 0; i < _callbacks.Count; i++)
        {
            _callbacks[i].OnBelowWriteBufferLowWatermark();
        }
    }

    /// <summary>Makes the stream ready for another exchange.</summary>
    protected void Renew()
    {
        _callbacks.Clear();
        _readDisables = 0;
        _reset = false;
        ChunkedOut = false;
        EndsConnection = false;
        EncodeComplete = false;
        ResponseDetails = "";
        Bytes.Clear();
    }

    /// <summary>Gives back the read disables the exchange still holds, so that the next one starts reading.</summary>
    internal void ReleaseReads()
    {
        while (_readDisables > 0)
        {
            ReadDisable(false);
        }
    }

    protected HeaderKeyFormatter? FormatterOf(HeaderMap headers) => headers.Formatter ?? Codec.Formatter;

    /// <summary>Sends the head that lies in the output; the message ends with it if <paramref name="endStream"/>.</summary>
    protected void FinishHead(bool endStream)
    {
        Bytes.HeaderBytesSent += Codec.Output.Length;
        if (endStream)
        {
            End();
        }
        else
        {
            Flush();
        }
    }

    protected void RunResetCallbacks(StreamResetReason reason)
    {
        for (var i = _callbacks.Count - 1; i >= 0; i--)
        {
            if (i < _callbacks.Count)
            {
                _callbacks[i].OnResetStream(reason, "");
            }
        }
    }

    protected void Flush()
    {
        if (!Codec.Output.IsEmpty)
        {
            Bytes.WireBytesSent += Codec.Output.Length;
            Codec.Connection.Write(Codec.Output, false);
        }
    }

    /// <summary>The outgoing message is complete.</summary>
    protected abstract void OnEnd();

    private void WriteChunk(ByteBuffer data)
    {
        // 16 digits hold any length (64 bits in hexadecimal).
        var space = Codec.Output.Reserve(18);
        Utf8Formatter.TryFormat(data.Length, space, out var digits, 'x');
        "\r\n"u8.CopyTo(space[digits..]);
        Codec.Output.Commit(digits + 2);
        Bytes.WireBytesSent += digits + 4;
        Codec.Output.MoveFrom(data);
        Codec.Output.Append("\r\n"u8);
        Codec.Connection.Write(Codec.Output, false);
    }

    private void End()
    {
        if (ChunkedOut)
        {
            Codec.Output.Append("0\r\n\r\n"u8);
        }
        Flush();
        EncodeComplete = true;
        if (EndsConnection)
        {
            EndSending();
        }
        for (var i = _callbacks.Count - 1; i >= 0; i--)
        {
            if (i < _callbacks.Count)
            {
                _callbacks[i].OnCodecEncodeComplete();
            }
        }
        OnEnd();
    }

    private void EndSending()
    {
        if (Codec.Connection.HalfCloseEnabled)
        {
            Codec.Connection.Write(Codec.Output, true);
        }
        else
        {
            Codec.Connection.Close(ConnectionCloseType.FlushWriteAndDelay);
        }
    }
}
