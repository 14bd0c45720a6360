// SPDX-License-Identifier: MIT
#include "platform/linux/model_base.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "platform/linux/joined.h"
#include "platform/linux/send_retry.h"
#include "platform/linux/socket.h"

namespace hawser::os {

Result<Fd, Errno> ModelBase::open_wake_fd(int flags) noexcept {
    Fd fd(::eventfd(0, EFD_CLOEXEC | flags));
    if (!fd.is_open()) return Failure{Errno{errno, "eventfd"}};
    return fd;
}

std::uint32_t ModelBase::payload_bytes_max(SocketId id) noexcept {
    if (!sockets_.is_open(id)) return 0;
    const Socket& s = sockets_[id.index()];
    return os::payload_bytes_max(s.fd, s.is_v4 ? AF_INET : AF_INET6);
}

void ModelBase::wake() noexcept {
    const std::uint64_t one = 1;
    // It fails only when 2^64 wakes are unread.
    [[maybe_unused]] const auto written = ::write(wake_fd_.get(), &one, sizeof one);
}

Result<SocketId, Errno> ModelBase::open_socket(const SocketSpec& spec) noexcept {
    if (sockets_.full()) return Failure{Errno{EMFILE, "sockets of this program"}};
    SocketSpec wanted = spec;
    wanted.join_segments = spec.join_segments && can_join(pool_);
    auto opened = open_udp(wanted);
    counters_.system_calls += open_system_calls;
    if (!opened) return Failure{opened.error()};
    return sockets_.adopt(std::move(*opened), wanted);
}

void ModelBase::close_socket(SocketId id) noexcept {
    sends_.forget(sockets_[id.index()]);
    completions_.forget(id, pool_);
    sockets_.close(id);
    ++counters_.system_calls;
}

bool ModelBase::can_after_flush(SocketId id, PacketRef packet, const Endpoint* to) noexcept {
    if (!has_room_to_report()) {
        ++counters_.sends_dropped;
        return false;
    }
    if (sockets_.is_open(id)) return true;
    pool_.add_ref(packet.buffer);
    report_closed(id, packet, to, completions_);
    return false;
}

void ModelBase::report_woken() noexcept {
    Completion& c = completions_.append();
    c.kind = Completion::Kind::woken;
    c.socket = no_socket;
    c.packet = PacketRef{};
}

}  // namespace hawser::os
