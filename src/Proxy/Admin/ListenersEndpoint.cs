using Envoy.Admin.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Listeners;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/listeners`: the listeners that take traffic, with the addresses they are bound to.</summary>
internal sealed class ListenersEndpoint(ListenerManager listeners)
{
    public AdminEndpoint Endpoint => new("/listeners", "print listener info", false, Answer);

    private AdminResponse Answer(AdminQuery query) => query.Find("format") == "json" ? Json() : Text();

    private AdminResponse Text()
    {
        var text = new System.Text.StringBuilder();
        foreach (var entry in listeners.Active)
        {
            foreach (var address in entry.LocalAddresses)
            {
                text.Append(entry.Config.Name).Append("::").Append(Addresses.Format(address)).Append('\n');
            }
        }
        return AdminResponse.Text(text.ToString());
    }

    private AdminResponse Json()
    {
        var all = Envoy.Admin.V3.Listeners.New();
        foreach (var entry in listeners.Active)
        {
            var status = ListenerStatus.New();
            status.Name = entry.Config.Name;
            for (var i = 0; i < entry.LocalAddresses.Count; i++)
            {
                var address = AddressMessages.Of(entry.LocalAddresses[i]);
                if (i == 0)
                {
                    status.LocalAddress = address;
                }
                else
                {
                    status.AdditionalLocalAddresses.Add(address);
                }
            }
            all.ListenerStatuses.Add(status);
        }
        return AdminResponse.OfMessage(all.Message);
    }
}
