// SPDX-License-Identifier: MIT
// The system calls of the data path, round the C library's functions of their names: those are points of cancellation,
// which in a program with threads costs as much as all else that is done for a packet.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace hawser::os {

inline constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

// On a connected socket. Negative: errno says why.
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

}  // namespace hawser::os
