// SPDX-License-Identifier: MIT
// What the two real Io models have in common, written once: sockets, queued sends, gathered completions, counters, and
// the wake from another thread. It is no seam: a model derives from it and adds how packets move.
#pragma once

#include <cstdint>

#include "engine/base/pool.h"
#include "engine/pump/io.h"
#include "platform/linux/clock.h"
#include "platform/linux/completions.h"
#include "platform/linux/fd.h"
#include "platform/linux/send_queue.h"
#include "platform/linux/sockets.h"

namespace hawser::os {

class ModelBase {
public:
    ModelBase(const ModelBase&) = delete;
    ModelBase& operator=(const ModelBase&) = delete;

    [[nodiscard]] Endpoint local(SocketId id) noexcept { return sockets_.local(id); }
    [[nodiscard]] std::uint32_t payload_bytes_max(SocketId id) noexcept;
    [[nodiscard]] Instant now() noexcept { return os::now(); }
    void wake() noexcept;
    [[nodiscard]] const IoCounters& counters() const noexcept { return counters_; }

protected:
    // While no buffer is free, wait() comes back this often so that the pump may give some up. Untuned.
    static constexpr Duration starved_wait_max{10'000'000};

    // `flags` beside EFD_CLOEXEC: whether reads of it block.
    [[nodiscard]] static Result<Fd, Errno> open_wake_fd(int flags) noexcept;

    // `flush_completions_max`: what one flush and one turn can report at most.
    ModelBase(Pool& pool, Fd wake_fd, std::uint32_t sockets_max, std::uint32_t flush_completions_max)
        : pool_(pool),
          wake_fd_(std::move(wake_fd)),
          sockets_(sockets_max),
          sends_(pool),
          flush_completions_max_(flush_completions_max),
          completions_(3 * flush_completions_max) {}
    ~ModelBase() {
        completions_.drop_all(pool_);
        sends_.clear();
    }

    [[nodiscard]] Result<SocketId, Errno> open_socket(const SocketSpec& spec) noexcept;
    // With what it has queued and gathered.
    void close_socket(SocketId id) noexcept;

    // The common send: the next of its socket's last run. A socket that is not open has no run to extend.
    [[nodiscard]] bool extend_run(SocketId id, const PacketRef& packet) noexcept {
        return !sends_.full() && id.value < sockets_.capacity() && sends_.extend_run(sockets_[id.index()], packet);
    }
    [[nodiscard]] bool can_begin_run(SocketId id) const noexcept { return !sends_.full() && sockets_.is_open(id); }
    // What is sent outside of wait() may be refused and reported, and leaves room for what wait() may have to report.
    [[nodiscard]] bool has_room_to_report() const noexcept { return completions_.room() >= 2 * flush_completions_max_; }
    // A send that cannot begin a run. True when it can after a flush; else it has been reported or counted.
    [[nodiscard]] bool can_after_flush(SocketId id, PacketRef packet, const Endpoint* to) noexcept;

    void report_woken() noexcept;

    Pool& pool_;
    Fd wake_fd_;
    Sockets sockets_;
    SendQueue sends_;
    std::uint32_t flush_completions_max_;
    Completions completions_;
    IoCounters counters_;
};

}  // namespace hawser::os
