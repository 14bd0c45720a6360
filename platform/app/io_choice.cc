// SPDX-License-Identifier: MIT
#include "platform/app/io_choice.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "platform/linux/uring_io.h"

namespace hawser::app {
namespace {

// The figures are in perf/README.md.
constexpr const char* better_model =
    "io_uring: this system permits it, and it takes less CPU per packet than epoll under load";

// A sysctl's number; where this kernel has no such one, what it does without.
std::int64_t value_of(const std::string& path, std::int64_t otherwise) {
    std::ifstream file(path);
    std::int64_t value = 0;
    return file >> value ? value : otherwise;
}

// io_uring_disabled: 0 for all, 1 for io_uring_group (-1: none) and CAP_SYS_ADMIN only, 2 for nobody. Linux 6.6.
std::string forbidding_sysctl(const std::string& folder) {
    const std::int64_t disabled = value_of(folder + "/io_uring_disabled", 0);
    const std::string says = "the sysctl kernel.io_uring_disabled is " + std::to_string(disabled);
    if (disabled != 1) return disabled == 0 ? "" : says;
    const std::int64_t group = value_of(folder + "/io_uring_group", -1);
    if (group < 0) return says + ", and kernel.io_uring_group names no group";
    const gid_t gid = static_cast<gid_t>(group);
    if (::getegid() == gid || ::group_member(gid) != 0) return "";
    return says + ", and this process is not in kernel.io_uring_group, " + std::to_string(group);
}

}  // namespace

std::string uring_refusal(Errno error, const std::string& sysctls) {
    const std::string_view call = error.call;
    if (call == "io_uring features" || call == "io_uring operations")
        return "this kernel's io_uring lacks what is needed; Linux 6.1 has it";
    if (error.value == EPERM || error.value == EACCES) {
        if (std::string sysctl = forbidding_sysctl(sysctls); !sysctl.empty()) return sysctl;
        return "permission denied, as the seccomp profiles of containers do";
    }
    if (error.value == ENOSYS) return "this kernel has none, or a seccomp profile hides it";
    if (error.value == EINVAL && call == "io_uring_setup")
        return "this kernel knows no deferred task work; Linux 6.1 does";
    if (error.value == ENOMEM)
        return "no memory for its rings (the limit on locked memory, RLIMIT_MEMLOCK, may be low)";
    return std::string(call) + ": " + std::strerror(error.value);
}

Result<IoChoice, std::string> choose_io(IoKind wish) {
    if (wish == IoKind::epoll) return IoChoice{IoKind::epoll, "epoll, as asked"};
    const auto possible = os::UringIo::probe();
    if (possible) return IoChoice{IoKind::uring, wish == IoKind::uring ? "io_uring, as asked" : better_model};
    if (wish == IoKind::uring) return Failure{"io_uring is refused: " + uring_refusal(possible.error())};
    return instead_of_uring(possible.error());
}

IoChoice instead_of_uring(Errno error) {
    return IoChoice{IoKind::epoll, "epoll: io_uring is refused (" + uring_refusal(error) + ")"};
}

std::string_view name_of(IoKind kind) {
    return kind == IoKind::automatic ? "auto" : kind == IoKind::uring ? "uring" : "epoll";
}

std::optional<IoKind> parse_io_kind(std::string_view text) {
    if (text == "auto") return IoKind::automatic;
    if (text == "uring") return IoKind::uring;
    if (text == "epoll") return IoKind::epoll;
    return std::nullopt;
}

}  // namespace hawser::app
