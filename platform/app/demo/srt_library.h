// SPDX-License-Identifier: MIT
// libsrt's process-wide start and end, and the options that both ends of the demonstration share.
// One SrtLibrary lives longer than every source and sink.
#pragma once

#include <cstdint>
#include <string>

#include "platform/app/demo/problem.h"

namespace hawser::demo {

class SrtLibrary {
public:
    SrtLibrary();
    ~SrtLibrary();
    SrtLibrary(const SrtLibrary&) = delete;
    SrtLibrary& operator=(const SrtLibrary&) = delete;
};

// An SRT socket: libsrt's number, closed once.
class SrtSocket {
public:
    SrtSocket() = default;
    explicit SrtSocket(int id) : id_(id) {}
    SrtSocket(SrtSocket&& other) noexcept;
    SrtSocket& operator=(SrtSocket&& other) noexcept;
    ~SrtSocket() { close(); }

    [[nodiscard]] int id() const { return id_; }
    [[nodiscard]] bool is_open() const { return id_ >= 0; }
    void close();

private:
    int id_ = -1;
};

// Reordering that SRT is to bear before it asks again, in packets: links of different delay reorder by design.
// 40: what SRTLA's receivers advise for their SRT servers (10 to 50). libsrt's own default is none.
inline constexpr int advised_reorder_tolerance = 40;

// A socket in live mode: TSBPD with this latency, packets dropped when too late, neither end ever blocking.
[[nodiscard]] Outcome<SrtSocket> live_socket(std::uint32_t latency_ms,
                                             int reorder_tolerance = advised_reorder_tolerance);

// libsrt's own words about its last error on this thread.
[[nodiscard]] Failure<Problem> srt_problem(const std::string& doing);

}  // namespace hawser::demo
