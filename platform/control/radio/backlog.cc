// SPDX-License-Identifier: MIT
#include "platform/control/radio/backlog.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace hawser::control {

namespace {

// Besides its bytes, so that small parts are bounded too.
constexpr std::size_t part_bytes = 64;

}  // namespace

void Backlog::add(Bytes bytes) {
    if (bytes.empty()) return;
    parts_.push_back({{bytes.begin(), bytes.end()}, 0, 0});
    held_bytes_ += part_bytes + bytes.size();
    waiting_bytes_ += bytes.size();
}

void Backlog::add_zeros(std::uint64_t count) {
    if (count == 0) return;
    parts_.push_back({{}, 0, count});
    held_bytes_ += part_bytes;
    waiting_bytes_ += count;
}

Bytes Backlog::next_of(const Part& part) {
    static constexpr std::array<std::uint8_t, 65'536> zeros{};
    if (part.zeros != 0) return Bytes(zeros).first(std::min<std::uint64_t>(part.zeros, zeros.size()));
    return Bytes(part.bytes).subspan(part.at);
}

void Backlog::take(std::size_t bytes) {
    Part& part = parts_.front();
    if (part.zeros != 0)
        part.zeros -= bytes;
    else
        part.at += bytes;
    waiting_bytes_ -= bytes;
    pushed_bytes_ += bytes;
    if (part.zeros != 0 || part.at < part.bytes.size()) return;
    held_bytes_ -= part_bytes + part.bytes.size();
    parts_.pop_front();
}

Result<Unit, Errno> Backlog::push(int fd, Instant now) {
    while (!parts_.empty()) {
        const Bytes next = next_of(parts_.front());
        const ssize_t n = ::write(fd, next.data(), next.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            if (!stuck_since_) stuck_since_ = now;
            return Unit{};
        }
        if (n < 0) return Failure{Errno{errno, "write"}};
        take(static_cast<std::size_t>(n));
        stuck_since_.reset();
    }
    stuck_since_.reset();
    return Unit{};
}

}  // namespace hawser::control
