// SPDX-License-Identifier: MIT
#include "platform/linux/service_manager.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "platform/linux/fd.h"

namespace hawser::os {

namespace {

std::optional<std::uint64_t> number_in(const char* variable) {
    const char* const text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    std::uint64_t value = 0;
    const char* const end = text + std::strlen(text);
    const auto [at, error] = std::from_chars(text, end, value);
    if (error != std::errc() || at != end) return std::nullopt;
    return value;
}

}  // namespace

ServiceManager::ServiceManager() {
    const char* const socket = std::getenv("NOTIFY_SOCKET");
    if (socket == nullptr || (socket[0] != '/' && socket[0] != '@')) return;
    if (std::strlen(socket) >= sizeof(sockaddr_un::sun_path)) return;
    path_ = socket;
    if (path_[0] == '@') path_[0] = '\0';
    const auto us = number_in("WATCHDOG_USEC");
    const auto pid = number_in("WATCHDOG_PID");
    const bool is_ours = !pid || *pid == static_cast<std::uint64_t>(::getpid());
    constexpr std::uint64_t us_max = 86'400'000'000;
    if (us && *us > 0 && *us <= us_max && is_ours) watchdog_ = Duration{static_cast<std::int64_t>(*us) * 1000 / 2};
}

void ServiceManager::tell(std::string_view lines) const {
    if (!is_there()) return;
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.is_open()) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path_.data(), path_.size());
    // A pathname ends with its NUL, which is zero already; an abstract name ends with the length.
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    [[maybe_unused]] const auto sent =
        ::sendto(fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), bytes);
}

bool is_journal(int fd) {
    const char* const said = std::getenv("JOURNAL_STREAM");
    struct stat s {};
    if (said == nullptr || ::fstat(fd, &s) != 0) return false;
    char own[64];
    std::snprintf(own, sizeof own, "%llu:%llu", static_cast<unsigned long long>(s.st_dev),
                  static_cast<unsigned long long>(s.st_ino));
    return std::strcmp(own, said) == 0;
}

}  // namespace hawser::os
