// SPDX-License-Identifier: MIT
// Secrets and seeds from the operating system.
#pragma once

#include <sys/random.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/check.h"

namespace hawser::app {

// Fills it all; the kernel's generator is ready long before we run.
inline void fill_random(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t n = ::getrandom(out.data(), out.size(), 0);
        HAWSER_CHECK(n > 0);
        out = out.subspan(static_cast<std::size_t>(n));
    }
}

template <class T>
[[nodiscard]] T random_value() {
    T value{};
    fill_random(std::span(reinterpret_cast<std::uint8_t*>(&value), sizeof value));
    return value;
}

}  // namespace hawser::app
