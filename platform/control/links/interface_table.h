// SPDX-License-Identifier: MIT
// The machine's network interfaces as uplinks need them: name, whether it can carry packets, addresses, and the default
// routes that lead out through it, of any routing table. The kernel's word that something changed only rings a bell:
// what is so is always read anew as a whole, so that a burst of changes costs one reading and a word that was lost
// (ENOBUFS) costs nothing. Control thread only; reading takes well under a millisecond and never waits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "platform/linux/fd.h"

struct mnl_socket;

namespace hawser::control {

struct Interface {
    struct Address {
        Endpoint address;
        std::uint32_t prefix_bits = 0;  // of the network around it
        friend bool operator==(const Address&, const Address&) = default;
    };
    struct Gateway {
        std::optional<Endpoint> address;  // absent: the route leads onto the link itself (modems, tunnels)
        std::uint32_t metric = 0;
        std::uint32_t table = 0;  // 254 is main
        friend bool operator==(const Gateway&, const Gateway&) = default;
    };

    std::uint32_t index = 0;  // the kernel's; another one when an interface of that name comes back
    std::string name;
    std::string mac;     // aa:bb:cc:dd:ee:ff; empty where there is none
    bool is_up = false;  // switched on and with a carrier
    bool is_loopback = false;
    bool is_point_to_point = false;
    std::uint32_t mtu = 0;
    // That packets may leave from: not those still being checked for duplicates or deprecated. In the kernel's order.
    std::vector<Address> addresses;
    std::vector<Gateway> default_v4;  // the kernel's order: by table and metric
    std::vector<Gateway> default_v6;

    // Of that family and wider than the link (fe80::/10 is not).
    [[nodiscard]] bool has_address(bool v4) const;
    [[nodiscard]] bool has_address(const Endpoint& address) const;
    friend bool operator==(const Interface&, const Interface&) = default;
};

class InterfaceTable {
public:
    // Subscribed and read once. The error says which call failed.
    [[nodiscard]] static Result<InterfaceTable, Errno> open();

    // Readable when the kernel says that something changed.
    [[nodiscard]] int fd() const;
    // Takes what the kernel said. True: read() may find something else than before.
    [[nodiscard]] bool take();
    enum class Read : std::uint8_t { same, changed, failed };
    // Reads everything anew. When the kernel refuses, or changed it each time while it was read, what was known stays
    // and errno says why: try again.
    Read read();

    [[nodiscard]] const std::vector<Interface>& all() const { return interfaces_; }  // by index
    [[nodiscard]] const Interface* find(std::string_view name) const;
    // The one that has that address; on several that share it, the first that is up.
    [[nodiscard]] const Interface* find(const Endpoint& address) const;
    // Times the kernel said more than was taken in time.
    [[nodiscard]] std::uint64_t overruns() const { return overruns_; }

private:
    struct Close {
        void operator()(mnl_socket* socket) const;
    };
    using Socket = std::unique_ptr<mnl_socket, Close>;
    [[nodiscard]] static Result<Socket, Errno> connect(std::uint32_t groups);
    explicit InterfaceTable(Socket bell) : bell_(std::move(bell)) {}

    Socket bell_;
    std::vector<Interface> interfaces_;
    std::uint64_t overruns_ = 0;
};

}  // namespace hawser::control
