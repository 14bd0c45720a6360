// SPDX-License-Identifier: MIT
#include "platform/control/radio/dns_sd.h"

#include <algorithm>

#ifdef HAWSER_HAS_AVAHI
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/address.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>

#include <cstring>
#include <memory>

#include "platform/control/interfaces.h"
#include "platform/control/radio/group_socket.h"
#include "platform/linux/clock.h"
#endif

namespace hawser::control {

void add_instance(std::vector<RadioInstance>& instances, const RadioInstance& found) {
    for (RadioInstance& known : instances) {
        if (!(known.group == found.group)) continue;
        if (found.interface == known.interface || found.interface == "lo") return;
        if (known.interface != "lo") continue;
        known = found;
        return;
    }
    instances.push_back(found);
}

#ifdef HAWSER_HAS_AVAHI

namespace {

constexpr const char* service_type = "_ka9q-ctl._udp";
// Of a hostile network's.
constexpr std::size_t instances_max = 256;

struct Free {
    void operator()(AvahiSimplePoll* poll) const { avahi_simple_poll_free(poll); }
    void operator()(AvahiClient* client) const { avahi_client_free(client); }  // with what it browses and resolves
};

struct Browse {
    std::unique_ptr<AvahiSimplePoll, Free> poll{avahi_simple_poll_new()};
    std::unique_ptr<AvahiClient, Free> client;
    BrowseResult result;
    std::size_t open = 0;  // resolvers
    bool is_listed = false;

    [[nodiscard]] bool is_over() const { return !result.error.empty() || (is_listed && open == 0); }
    void fail(int code) {
        if (result.error.empty()) result.error = avahi_strerror(code);
    }
};

void on_resolved(AvahiServiceResolver* resolver, AvahiIfIndex interface, AvahiProtocol, AvahiResolverEvent event,
                 const char* name, const char*, const char*, const char* host, const AvahiAddress* address,
                 uint16_t port, AvahiStringList*, AvahiLookupResultFlags, void* context) {
    Browse& browse = *static_cast<Browse*>(context);
    --browse.open;
    avahi_service_resolver_free(resolver);
    // What cannot be resolved is not there any more.
    if (event != AVAHI_RESOLVER_FOUND || address->proto != AVAHI_PROTO_INET) return;
    Endpoint group;
    group.address[10] = group.address[11] = 0xFF;
    std::memcpy(group.address.data() + 12, &address->data.ipv4.address, 4);
    group.port = port;
    if (is_multicast(group) && browse.result.instances.size() < instances_max)
        add_instance(browse.result.instances,
                     {name, host, group, interface_name(static_cast<std::uint32_t>(interface))});
}

void on_service(AvahiServiceBrowser*, AvahiIfIndex interface, AvahiProtocol protocol, AvahiBrowserEvent event,
                const char* name, const char* type, const char* domain, AvahiLookupResultFlags, void* context) {
    Browse& browse = *static_cast<Browse*>(context);
    switch (event) {
        case AVAHI_BROWSER_NEW:
            if (browse.open < instances_max &&
                avahi_service_resolver_new(browse.client.get(), interface, protocol, name, type, domain,
                                           AVAHI_PROTO_INET, AvahiLookupFlags(0), on_resolved, context) != nullptr)
                ++browse.open;
            break;
        case AVAHI_BROWSER_ALL_FOR_NOW: browse.is_listed = true; break;
        case AVAHI_BROWSER_FAILURE: browse.fail(avahi_client_errno(browse.client.get())); break;
        case AVAHI_BROWSER_REMOVE:
        case AVAHI_BROWSER_CACHE_EXHAUSTED: break;
    }
}

void on_client(AvahiClient* client, AvahiClientState state, void* context) {
    if (state == AVAHI_CLIENT_FAILURE) static_cast<Browse*>(context)->fail(avahi_client_errno(client));
}

}  // namespace

BrowseResult browse_radios(Duration limit) {
    const Instant end = os::now() + limit;
    Browse browse;
    int code = 0;
    if (browse.poll)
        browse.client.reset(
            avahi_client_new(avahi_simple_poll_get(browse.poll.get()), AvahiClientFlags(0), on_client, &browse, &code));
    if (!browse.client) {
        browse.result.error = std::string("avahi: ") + avahi_strerror(code);
        return browse.result;
    }
    if (avahi_service_browser_new(browse.client.get(), AVAHI_IF_UNSPEC, AVAHI_PROTO_INET, service_type, nullptr,
                                  AvahiLookupFlags(0), on_service, &browse) == nullptr)
        browse.fail(avahi_client_errno(browse.client.get()));
    while (!browse.is_over()) {
        const Duration left = end - os::now();
        if (left.ns <= 0) {
            browse.result.error = "no end of its answers";
            break;
        }
        if (avahi_simple_poll_iterate(browse.poll.get(), static_cast<int>(left.ms()) + 1) != 0) {
            browse.result.error = "its daemon is gone";
            break;
        }
    }
    if (!browse.result.error.empty()) browse.result.error = "avahi: " + browse.result.error;
    std::sort(browse.result.instances.begin(), browse.result.instances.end(),
              [](const RadioInstance& a, const RadioInstance& b) { return a.description < b.description; });
    return browse.result;
}

#else

BrowseResult browse_radios(Duration) { return {{}, "built without avahi's client library"}; }

#endif

}  // namespace hawser::control
