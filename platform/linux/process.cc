// SPDX-License-Identifier: MIT
#include "platform/linux/process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>

#include "platform/linux/fd.h"

namespace hawser::os {

std::optional<pid_t> parse_process_id(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
    pid_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size() || id <= 1) return std::nullopt;
    return id;
}

std::optional<bool> survives(pid_t process, int signal) {
    const std::string path = "/proc/" + std::to_string(process) + "/status";
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return std::nullopt;
    std::array<char, 4096> buffer;
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size <= 0) return std::nullopt;
    const std::string_view status(buffer.data(), static_cast<std::size_t>(size));
    std::uint64_t handled = 0;
    for (const std::string_view name : {"\nSigIgn:\t", "\nSigCgt:\t"}) {
        const std::size_t at = status.find(name);
        if (at == std::string_view::npos) return std::nullopt;
        std::uint64_t mask = 0;
        const char* const begin = status.data() + at + name.size();
        if (std::from_chars(begin, status.data() + status.size(), mask, 16).ec != std::errc()) return std::nullopt;
        handled |= mask;
    }
    return (handled >> (signal - 1) & 1) != 0;
}

Result<Unit, Errno> tell(pid_t process, int signal) {
    // The descriptor names the process and not its number: what /proc says of the number is of this process as long as
    // the signal goes through.
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    if (!handle.is_open() && errno != ENOSYS && errno != EPERM) return Failure{Errno{errno, "pidfd_open"}};
    if (survives(process, signal) == false) return Failure{Errno{ECANCELED, "kill"}};
    const long sent =
        handle.is_open() ? ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0) : ::kill(process, signal);
    if (sent != 0) return Failure{Errno{errno, "kill"}};
    return Unit{};
}

}  // namespace hawser::os
