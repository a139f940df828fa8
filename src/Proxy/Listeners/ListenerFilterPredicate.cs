using System.Net;
using Envoy.Config.Listener.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>filter_disabled: tells for which connections a listener filter is skipped.</summary>
internal static class ListenerFilterPredicate
{
    public static Func<ConnectionInfo, bool> Compile(ListenerFilterChainMatchPredicate predicate)
    {
        switch (predicate.RuleCase)
        {
            case ListenerFilterChainMatchPredicate.RuleOneofCase.OrMatch:
                var any = Compile(predicate.OrMatch!.Value.Rules);
                return info => Array.Exists(any, rule => rule(info));
            case ListenerFilterChainMatchPredicate.RuleOneofCase.AndMatch:
                var all = Compile(predicate.AndMatch!.Value.Rules);
                return info => Array.TrueForAll(all, rule => rule(info));
            case ListenerFilterChainMatchPredicate.RuleOneofCase.NotMatch:
                var inner = Compile(predicate.NotMatch!.Value);
                return info => !inner(info);
            case ListenerFilterChainMatchPredicate.RuleOneofCase.AnyMatch:
                return _ => true;
            case ListenerFilterChainMatchPredicate.RuleOneofCase.DestinationPortRange:
                var range = predicate.DestinationPortRange!.Value;
                var (start, end) = (range.Start, range.End);
                return info => info.LocalAddress is IPEndPoint ip && ip.Port >= start && ip.Port < end;
            default:
                throw new ConfigurationException("filter_disabled holds no rule: give one of its matches or leave it out.");
        }
    }

    private static Func<ConnectionInfo, bool>[] Compile(Xds.Protobuf.MessageList<ListenerFilterChainMatchPredicate> rules)
    {
        var compiled = new List<Func<ConnectionInfo, bool>>();
        foreach (var rule in rules)
        {
            compiled.Add(Compile(rule));
        }
        return [.. compiled];
    }
}
