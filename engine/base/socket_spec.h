// SPDX-License-Identifier: MIT
// A UDP socket that somebody wants, as a value: bonds ask for it, an Io opens it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/endpoint.h"

namespace hawser {

inline constexpr std::size_t device_name_bytes = 16;  // IFNAMSIZ, terminator included

struct SocketSpec {
    // Chosen by the caller and handed back in each completion, so that it needs no map from sockets to meanings.
    std::uint32_t tag = 0;
    Endpoint local;   // port 0: any. The all-zero address listens on both families.
    Endpoint remote;  // when connected: the only peer that is heard, and where sends go
    bool connected = false;
    bool join_segments = false;              // receive with UDP GRO where the model can
    std::uint32_t receive_buffer_bytes = 0;  // 0: leave the system's default
    std::uint32_t send_buffer_bytes = 0;
    char device[device_name_bytes] = {};  // bind to this network device; empty: none
};

}  // namespace hawser
