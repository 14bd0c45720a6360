// SPDX-License-Identifier: MIT
#include "platform/control/links/route_query.h"

#include <cerrno>
#include <memory>

#include "platform/control/links/netlink_attributes.h"

namespace hawser::control {

namespace {

void put_address(nlmsghdr* header, std::uint16_t type, const Endpoint& e) {
    const std::size_t bytes = e.is_v4() ? 4 : 16;
    mnl_attr_put(header, type, bytes, e.address.data() + (16 - bytes));
}

struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

}  // namespace

Result<Way, Errno> way_to(const Endpoint& destination, const std::optional<Endpoint>& source, std::uint32_t interface) {
    const std::unique_ptr<mnl_socket, Close> socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!socket) return Failure{Errno{errno, "socket(NETLINK_ROUTE)"}};
    if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0) return Failure{Errno{errno, "bind(NETLINK_ROUTE)"}};
    alignas(nlmsghdr) char bytes[8192] = {};
    nlmsghdr* const header = mnl_nlmsg_put_header(bytes);
    header->nlmsg_type = RTM_GETROUTE;
    header->nlmsg_flags = NLM_F_REQUEST;
    header->nlmsg_seq = 1;
    auto* const head = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
    const bool v4 = destination.is_v4();
    const auto bits = static_cast<unsigned char>(v4 ? 32 : 128);
    head->rtm_family = v4 ? AF_INET : AF_INET6;
    head->rtm_dst_len = bits;
    put_address(header, RTA_DST, destination);
    if (source && source->is_v4() == v4 && !source->is_any()) {
        head->rtm_src_len = bits;
        put_address(header, RTA_SRC, *source);
    }
    const std::uint32_t out = interface != 0 ? interface : destination.scope;
    if (out != 0) mnl_attr_put_u32(header, RTA_OIF, out);
    if (mnl_socket_sendto(socket.get(), header, header->nlmsg_len) < 0) return Failure{Errno{errno, "send(NETLINK)"}};
    // The kernel has answered when the send returns.
    const ssize_t n = mnl_socket_recvfrom(socket.get(), bytes, sizeof bytes);
    if (n < 0) return Failure{Errno{errno, "recv(NETLINK)"}};
    Way way;
    const int read = mnl_cb_run(
        bytes, static_cast<std::size_t>(n), 1, mnl_socket_get_portid(socket.get()),
        [](const nlmsghdr* message, void* result) {
            auto& w = *static_cast<Way*>(result);
            const auto* const route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
            const Attributes<RTA_MAX> attributes(message, sizeof *route);
            w.interface = attributes.number(RTA_OIF).value_or(0);
            w.gateway = attributes.address(RTA_GATEWAY);
            w.table = attributes.number(RTA_TABLE).value_or(route->rtm_table);
            return MNL_CB_OK;
        },
        &way);
    if (read < 0) return Failure{Errno{errno, "route lookup"}};
    return way;
}

}  // namespace hawser::control
