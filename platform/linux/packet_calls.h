// SPDX-License-Identifier: MIT
// The system calls of the data path, round the C library's functions of their names: those are points of cancellation,
// which in a program with threads costs as much as all else that is done for a packet. Under a sanitizer it is the
// library's functions, since that sees what the kernel reads and writes only through those.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#include "platform/linux/sanitized.h"

namespace hawser::os {

inline constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

// All: negative, and errno says why. send_packet() wants a connected socket.
#if HAWSER_SANITIZED

[[nodiscard]] inline long send_packet(int fd, const void* data, std::size_t bytes) noexcept {
    return ::send(fd, data, bytes, send_flags);
}
[[nodiscard]] inline long send_message(int fd, const msghdr& message) noexcept {
    return ::sendmsg(fd, &message, send_flags);
}
[[nodiscard]] inline long send_messages(int fd, mmsghdr* messages, std::size_t count) noexcept {
    return ::sendmmsg(fd, messages, static_cast<unsigned>(count), send_flags);
}
[[nodiscard]] inline long receive_messages(int fd, mmsghdr* messages, std::size_t count) noexcept {
    return ::recvmmsg(fd, messages, static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
}

#else

[[nodiscard]] inline long send_packet(int fd, const void* data, std::size_t bytes) noexcept {
    return ::syscall(SYS_sendto, fd, data, bytes, send_flags, nullptr, 0);
}
[[nodiscard]] inline long send_message(int fd, const msghdr& message) noexcept {
    return ::syscall(SYS_sendmsg, fd, &message, send_flags);
}
[[nodiscard]] inline long send_messages(int fd, mmsghdr* messages, std::size_t count) noexcept {
    return ::syscall(SYS_sendmmsg, fd, messages, count, send_flags);
}
[[nodiscard]] inline long receive_messages(int fd, mmsghdr* messages, std::size_t count) noexcept {
    return ::syscall(SYS_recvmmsg, fd, messages, count, MSG_DONTWAIT, nullptr);
}

#endif

}  // namespace hawser::os
