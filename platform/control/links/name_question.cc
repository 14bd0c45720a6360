// SPDX-License-Identifier: MIT
#include "platform/control/links/name_question.h"

#include <ares.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/socket.h"

namespace hawser::control {

namespace {

using Said = NameQuestion::Said;

// What c-ares, which has the same patience, needs to say that a question stays without an answer.
constexpr Duration grace{100'000'000};

bool is_host(const Endpoint& address) {
    const bool is_group = address.is_v4() ? address.v4() >> 28 >= 0xE : address.address[0] == 0xFF;
    return !address.is_any() && !address.is_loopback() && !is_group;
}

Said said_of(int status) {
    switch (status) {
        case ARES_SUCCESS: return Said::addresses;
        case ARES_ENOTFOUND: return Said::no_name;
        case ARES_ENODATA: return Said::no_address;
        case ARES_ETIMEOUT:
        case ARES_ECANCELLED:
        case ARES_EDESTRUCTION: return Said::silence;
        case ARES_EREFUSED: return Said::refusal;
        case ARES_EFORMERR:
        case ARES_EBADRESP: return Said::nonsense;
        case ARES_ECONNREFUSED: return Said::unreachable;
        default: return Said::failure;
    }
}

void on_reply(void* context, int status, int /*timeouts*/, ares_addrinfo* found) {
    auto& reply = *static_cast<NameQuestion::Reply*>(context);
    reply.said = said_of(status);
    reply.at = os::now();
    if (found == nullptr) return;
    for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next)
        if (node->ai_family == AF_INET || node->ai_family == AF_INET6) {
            Endpoint address = os::from_sockaddr(node->ai_addr);
            address.port = 0;
            reply.addresses.push_back(address);
        }
    ares_freeaddrinfo(found);
}

// `lookups`: "b" asks the server, "f" reads /etc/hosts.
ares_channel make_channel(const char* lookups, Duration patience) {
    ares_options options{};
    std::array<char, 2> kinds{lookups[0], '\0'};
    options.lookups = kinds.data();
    options.timeout = static_cast<int>(patience.ms());
    options.tries = 1;
    ares_channel made = nullptr;
    const int status = ares_init_options(&made, &options, ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    return status == ARES_SUCCESS ? made : nullptr;
}

void ask(ares_channel channel, const std::string& host, int family, NameQuestion::Reply& reply) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    // It would sort by the routes of sockets that are bound to no link.
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, on_reply, &reply);
}

int bind_to_link(ares_socket_t fd, int /*type*/, void* spec) {
    int family = 0;
    socklen_t length = sizeof family;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) != 0) return -1;
    return os::bind_socket(fd, family, *static_cast<const SocketSpec*>(spec)) ? 0 : -1;
}

bool set_server(ares_channel channel, const Endpoint& server) {
    ares_addr_port_node node{};
    node.udp_port = node.tcp_port = server.port;
    node.family = server.is_v4() ? AF_INET : AF_INET6;
    if (server.is_v4())
        std::memcpy(&node.addr.addr4, server.address.data() + 12, sizeof node.addr.addr4);
    else
        std::memcpy(&node.addr.addr6, server.address.data(), sizeof node.addr.addr6);
    return ares_set_servers_ports(channel, &node) == ARES_SUCCESS;
}

}  // namespace

void NameQuestion::Destroy::operator()(ares_channeldata* channel) const { ares_destroy(channel); }

NameQuestion::NameQuestion(const std::string& host, const Endpoint& server, const SocketSpec& socket, Duration patience)
    : asked_at_(os::now()), give_up_at_(asked_at_ + patience + grace), channel_(make_channel("b", patience)) {
    if (!channel_ || !set_server(channel_.get(), server)) {
        replies_.fill({Said::failure, {}, asked_at_});
        return;
    }
    // c-ares has no other kind of pointer for it, and bind_to_link only reads.
    ares_set_socket_configure_callback(channel_.get(), bind_to_link, const_cast<SocketSpec*>(&socket));
    ask(channel_.get(), host, AF_INET, replies_[0]);
    ask(channel_.get(), host, AF_INET6, replies_[1]);
    keep_hosts();
}

NameQuestion::~NameQuestion() = default;

std::optional<Said> NameQuestion::said() const {
    const auto& [v4, v6] = replies_;
    if (!v4.said || !v6.said) return std::nullopt;
    if (v4.said == Said::addresses || v6.said == Said::addresses) return Said::addresses;
    const bool denies_v4 = is_denial(*v4.said);
    const bool denies_v6 = is_denial(*v6.said);
    if (denies_v4 && denies_v6) return v4.said == v6.said ? *v4.said : Said::no_address;
    // At least one half of the answer is missing. A server that has spoken could be asked, whatever became of that: one
    // that is not to be had by TCP for what it cut off is unreachable to c-ares, with all that was asked of it.
    const Said missing = denies_v4 ? *v6.said : *v4.said;
    const bool was_asked = has_spoken_ || denies_v4 || denies_v6;
    return missing == Said::unreachable && was_asked ? Said::failure : missing;
}

std::vector<Endpoint> NameQuestion::addresses() const {
    std::vector<Endpoint> all = replies_[0].addresses;
    all.insert(all.end(), replies_[1].addresses.begin(), replies_[1].addresses.end());
    return all;
}

Instant NameQuestion::due(Instant now) const {
    timeval room{};
    const timeval* const left = ares_timeout(channel_.get(), nullptr, &room);
    if (left == nullptr) return give_up_at_;
    return std::min(give_up_at_, now + Duration{left->tv_sec * 1'000'000'000 + left->tv_usec * 1'000});
}

void NameQuestion::add_sockets(std::vector<pollfd>& out) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const auto bits = static_cast<unsigned>(ares_getsock(channel_.get(), sockets.data(), sockets.size()));
    first_socket_ = out.size();
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const bool reads = (bits >> i & 1) != 0;
        const bool writes = (bits >> (i + ARES_GETSOCK_MAXNUM) & 1) != 0;
        if (reads || writes)
            out.push_back({sockets[i], static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0});
    }
    socket_count_ = out.size() - first_socket_;
}

void NameQuestion::work(std::span<const pollfd> polled) {
    for (const pollfd& p : polled.subspan(first_socket_, socket_count_)) {
        // An error is for the reader.
        const bool readable = (p.revents & ~POLLOUT) != 0;
        const bool writable = (p.revents & POLLOUT) != 0;
        has_spoken_ = has_spoken_ || (p.revents & (POLLIN | POLLERR | POLLHUP)) == POLLIN;
        if (readable || writable)
            ares_process_fd(channel_.get(), readable ? p.fd : ARES_SOCKET_BAD, writable ? p.fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (os::now() >= give_up_at_) give_up();
    keep_hosts();
}

void NameQuestion::keep_hosts() {
    for (Reply& reply : replies_) {
        auto& found = reply.addresses;
        const auto is_none = [](const Endpoint& a) { return !is_host(a); };
        found.erase(std::remove_if(found.begin(), found.end(), is_none), found.end());
        if (reply.said == Said::addresses && found.empty()) reply.said = Said::no_host;
    }
}

void NameQuestion::give_up() {
    if (!said()) ares_cancel(channel_.get());
}

std::string_view text_of(Said said) {
    switch (said) {
        case Said::addresses: return "answers";
        case Said::no_host: return "tells no host's address";
        case Said::no_name: return "knows no such name";
        case Said::no_address: return "knows no address of it";
        case Said::silence: return "does not answer";
        case Said::failure: return "failed";
        case Said::refusal: return "refuses";
        case Said::nonsense: return "answers nonsense";
        case Said::unreachable: return "cannot be asked";
    }
    return "";
}

std::vector<Endpoint> addresses_in_hosts(const std::string& host) {
    NameQuestion::Reply reply;
    const ares_channel channel = make_channel("f", {});
    if (channel == nullptr) return {};
    ask(channel, host, AF_UNSPEC, reply);
    ares_destroy(channel);
    return reply.addresses;
}

}  // namespace hawser::control
