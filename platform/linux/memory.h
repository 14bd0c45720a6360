// SPDX-License-Identifier: MIT
// The slab: one anonymous mapping taken at start, huge-paged and populated where the kernel grants it, so that the
// data path meets no page fault. seal() ends allocation on the calling thread; see sealed_new.cc for who enforces it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/base/result.h"

namespace hawser::os {

class Slab {
public:
    enum class Pages { populated, on_demand };  // on_demand: small pages, each when it is first touched

    // bytes is rounded up to whole pages. Fails with the kernel's word on it (ENOMEM: a memory limit).
    [[nodiscard]] static Result<Slab, Errno> create(std::size_t bytes, Pages pages = Pages::populated) noexcept;

    Slab(Slab&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Slab& operator=(Slab&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;
    ~Slab();

    [[nodiscard]] std::span<std::uint8_t> bytes() const noexcept { return bytes_; }

private:
    explicit Slab(std::span<std::uint8_t> bytes) noexcept : bytes_(bytes) {}
    std::span<std::uint8_t> bytes_;
};

// After seal(), operator new on this thread aborts in builds that link sealed_new.cc, and does nothing elsewhere.
void seal() noexcept;
void unseal() noexcept;
[[nodiscard]] bool is_sealed() noexcept;

// For what a sealed thread must call although it allocates (a library's error path, a test's own bookkeeping).
class Unsealed {
public:
    Unsealed() noexcept : was_(is_sealed()) { unseal(); }
    ~Unsealed() {
        if (was_) seal();
    }
    Unsealed(const Unsealed&) = delete;
    Unsealed& operator=(const Unsealed&) = delete;

private:
    bool was_;
};

}  // namespace hawser::os
