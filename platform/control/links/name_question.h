// SPDX-License-Identifier: MIT
// One name, asked of one server through one uplink, for each family by itself: the server denies a name when it denies
// both, and what it says of one family hides nothing of the other. Over c-ares, which judges what comes back; its
// sockets are bound as the uplink's are, and one that cannot be is not used: what is asked would leave by another link.
// Whoever asks polls: add_sockets(), poll(2), work(), until said() is there.
#pragma once

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/socket_spec.h"
#include "engine/base/time.h"

struct ares_channeldata;

namespace hawser::control {

class NameQuestion {
public:
    enum class Said : std::uint8_t {
        addresses,
        no_host,     // only addresses of no host on the network (0.0.0.0, 127.0.0.1, a group): filters answer so
        no_name,     // there is none such
        no_address,  // it has none
        silence,
        failure,
        refusal,
        nonsense,
        unreachable,  // it could not be asked
    };

    // `socket`: of local address and device alone; outlives the question.
    NameQuestion(const std::string& host, const Endpoint& server, const SocketSpec& socket, Duration patience);
    NameQuestion(const NameQuestion&) = delete;
    NameQuestion& operator=(const NameQuestion&) = delete;
    ~NameQuestion();

    // Of both families, once the server has spoken of each.
    [[nodiscard]] std::optional<Said> said() const;
    // As the server told them, without a port; hosts' alone.
    [[nodiscard]] std::vector<Endpoint> addresses() const;
    [[nodiscard]] Duration took() const { return std::max(replies_[0].at, replies_[1].at) - asked_at_; }

    // Until when there is nothing to do but for its sockets.
    [[nodiscard]] Instant due(Instant now) const;
    void add_sockets(std::vector<pollfd>& out);
    // With what add_sockets() added, polled.
    void work(std::span<const pollfd> polled);
    // Nobody waits any longer: it has been silent.
    void give_up();

    struct Reply {
        std::optional<Said> said;
        std::vector<Endpoint> addresses;
        Instant at;
    };

private:
    struct Destroy {
        void operator()(ares_channeldata* channel) const;
    };

    void keep_hosts();

    Instant asked_at_;
    Instant give_up_at_;
    std::array<Reply, 2> replies_;                        // IPv4, IPv6
    std::unique_ptr<ares_channeldata, Destroy> channel_;  // after the replies, which it writes to when it ends
    std::size_t first_socket_ = 0;
    std::size_t socket_count_ = 0;
    bool has_spoken_ = false;  // the server, whatever it was
};

// The rest of a sentence that begins with the server: "does not answer".
[[nodiscard]] std::string_view text_of(NameQuestion::Said said);
// The server knows that there is nothing.
[[nodiscard]] constexpr bool is_denial(NameQuestion::Said said) {
    return said == NameQuestion::Said::no_name || said == NameQuestion::Said::no_address;
}

// Of /etc/hosts; none where the name is not there. Asks nobody.
[[nodiscard]] std::vector<Endpoint> addresses_in_hosts(const std::string& host);

}  // namespace hawser::control
