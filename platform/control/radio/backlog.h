// SPDX-License-Identifier: MIT
// Bytes that wait for the reader of a pipe: handed on in order, as many as it takes without waiting. Silence waits
// as a length, so that an hour of it needs no room. For the writer's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/base/time.h"

namespace hawser::control {

class Backlog {
public:
    void add(Bytes bytes);
    void add_zeros(std::uint64_t count);
    // Into a descriptor that does not block. The error is write()'s: nobody will read any more.
    Result<Unit, Errno> push(int fd, Instant now);

    [[nodiscard]] bool empty() const { return parts_.empty(); }
    // In memory; silence counts as nothing.
    [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
    // With the silence; and what push() got rid of.
    [[nodiscard]] std::uint64_t waiting_bytes() const { return waiting_bytes_; }
    [[nodiscard]] std::uint64_t pushed_bytes() const { return pushed_bytes_; }
    // Since when something waits of which the reader has taken nothing; absent when nothing waits.
    [[nodiscard]] std::optional<Instant> stuck_since() const { return stuck_since_; }

private:
    struct Part {
        std::vector<std::uint8_t> bytes;
        std::size_t at = 0;       // of the bytes: those before are handed on
        std::uint64_t zeros = 0;  // instead of bytes
    };
    [[nodiscard]] static Bytes next_of(const Part& part);
    void take(std::size_t bytes);

    std::deque<Part> parts_;
    std::size_t held_bytes_ = 0;
    std::uint64_t waiting_bytes_ = 0;
    std::uint64_t pushed_bytes_ = 0;
    std::optional<Instant> stuck_since_;
};

}  // namespace hawser::control
