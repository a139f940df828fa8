namespace MeshProxy.Interception.Rules;

/// <summary>States of connection tracking that rules ask for.</summary>
public enum ConnectionStates
{
    Invalid,
    RelatedOrEstablished,
}
