namespace MeshProxy.Interception.Rules;

/// <summary>Protocols that have ports.</summary>
public enum Transport
{
    Tcp,
    Udp,
}
