// SPDX-License-Identifier: MIT
// Where a lean SRT model's packets go: the bytes that matter (header, and whatever of the body means something) and
// the length on the wire. A plain function pointer, as Program is.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"

namespace hawser::sim {

struct SrtOutlet {
    void* self = nullptr;
    void (*send)(void*, Bytes head, std::uint16_t length) = nullptr;

    template <class T, void (T::*member)(Bytes, std::uint16_t)>
    [[nodiscard]] static SrtOutlet of(T& t) {
        return SrtOutlet{
            &t, [](void* it, Bytes head, std::uint16_t length) { (static_cast<T*>(it)->*member)(head, length); }};
    }
    void operator()(Bytes packet) const { send(self, packet, static_cast<std::uint16_t>(packet.size())); }
    void operator()(Bytes head, std::uint16_t length) const { send(self, head, length); }
};

}  // namespace hawser::sim
