// SPDX-License-Identifier: MIT
// Picks the pump's Io model once at start, and says why in one sentence for the log.
// `automatic` takes the model that measured better here, and the other where the kernel refuses it; a model asked for
// by name is had or is an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace hawser::app {

enum class IoKind : std::uint8_t { automatic, uring, epoll };

struct IoChoice {
    IoKind kind = IoKind::epoll;  // uring or epoll
    std::string reason;           // "io_uring: this system permits it, and ...", "epoll: io_uring is refused (...)"
};

// The error is a sentence: what was refused, and what the operator may do about it.
[[nodiscard]] Result<IoChoice, std::string> choose_io(IoKind wish);
// epoll, and why not io_uring: also where the full-sized rings are refused after choose_io() had small ones.
[[nodiscard]] IoChoice instead_of_uring(Errno error);

// "auto", "uring", "epoll".
[[nodiscard]] std::string_view name_of(IoKind kind);
[[nodiscard]] std::optional<IoKind> parse_io_kind(std::string_view text);

// Why io_uring could not be set up, in words: the sysctl, the seccomp profile, the kernel's age. `sysctls`: the folder
// of kernel.*.
[[nodiscard]] std::string uring_refusal(Errno error, const std::string& sysctls = "/proc/sys/kernel");

}  // namespace hawser::app
