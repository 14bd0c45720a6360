// SPDX-License-Identifier: MIT
// Network interfaces as the control plane needs them: by name or address, the one that a group's traffic takes, and
// word of changes. Numbers are the kernel's; 0 is none. Control thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "platform/linux/fd.h"

namespace hawser::control {

// By its name or one of its addresses.
[[nodiscard]] std::uint32_t interface_index(const std::string& name_or_address);
// Where the kernel would send to that address; asks it once, which does not block.
[[nodiscard]] std::uint32_t interface_toward(const Endpoint& destination);
[[nodiscard]] std::uint32_t loopback_index();
// Its name; the number as text for one that is gone.
[[nodiscard]] std::string interface_name(std::uint32_t index);

// Word of interfaces, addresses and routes that came or went.
class InterfaceWatch {
public:
    [[nodiscard]] static Result<InterfaceWatch, Errno> open();
    // Readable when something changed.
    [[nodiscard]] int fd() const { return fd_.get(); }
    struct Changes {
        bool any = false;
        std::vector<std::uint32_t> gone;  // the numbers of interfaces that vanished, though one may be back since
    };
    [[nodiscard]] Changes take();

private:
    explicit InterfaceWatch(os::Fd fd) : fd_(std::move(fd)) {}
    os::Fd fd_;
};

}  // namespace hawser::control
