// SPDX-License-Identifier: MIT
#include "platform/app/demo/srt_library.h"

#include <srt/srt.h>
#include <syslog.h>

#include <utility>

namespace hawser::demo {

SrtLibrary::SrtLibrary() {
    srt_startup();
    srt_setloglevel(LOG_CRIT);  // What matters of a connection is told by its state.
}

SrtLibrary::~SrtLibrary() { srt_cleanup(); }

SrtSocket::SrtSocket(SrtSocket&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

SrtSocket& SrtSocket::operator=(SrtSocket&& other) noexcept {
    if (this != &other) {
        close();
        id_ = std::exchange(other.id_, -1);
    }
    return *this;
}

void SrtSocket::close() {
    if (id_ >= 0) srt_close(std::exchange(id_, -1));
}

Outcome<SrtSocket> live_socket(std::uint32_t latency_ms, int reorder_tolerance) {
    SrtSocket socket(srt_create_socket());
    if (!socket.is_open()) return srt_problem("SRT socket");
    const int live = SRTT_LIVE;
    const int latency = static_cast<int>(latency_ms);
    const int yes = 1;
    const int no = 0;
    const auto set = [&](SRT_SOCKOPT option, const int& value) {
        return srt_setsockflag(socket.id(), option, &value, sizeof value) != SRT_ERROR;
    };
    if (!set(SRTO_TRANSTYPE, live) || !set(SRTO_LATENCY, latency) || !set(SRTO_TSBPDMODE, yes) ||
        !set(SRTO_TLPKTDROP, yes) || !set(SRTO_LOSSMAXTTL, reorder_tolerance) || !set(SRTO_RCVSYN, no) ||
        !set(SRTO_SNDSYN, no))
        return srt_problem("SRT socket options");
    return socket;
}

Failure<Problem> srt_problem(const std::string& doing) {
    return Failure{Problem{doing + ": " + srt_getlasterror_str()}};
}

}  // namespace hawser::demo
