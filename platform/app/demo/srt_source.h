// SPDX-License-Identifier: MIT
// The encoder's end: a libsrt caller that sends a live feed, and connects again as an encoder would when its
// connection breaks. The feed begins with the first connection; while there is none afterwards, what the feed makes is
// reported as refused. Owns one thread. The connection outlives end_feed(), so that what is on its way can arrive.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "engine/base/time.h"
#include "platform/app/demo/problem.h"
#include "platform/app/demo/srt_library.h"
#include "platform/app/demo/ts_feed.h"
#include "platform/linux/fd.h"

namespace hawser::demo {

class SrtSource {
public:
    struct Options {
        std::string host = "127.0.0.1";  // IPv4
        std::uint16_t port = 0;
        std::uint16_t local_port = 0;  // 0: any; the same after each reconnection otherwise
        std::uint32_t latency_ms = 0;
        std::function<Outcome<TsFeed>()> open_feed;  // called once, on the source's thread
        // Called on the source's thread for each payload; no sequence: it was refused.
        std::function<void(const Payload&, std::optional<std::uint32_t> sequence, Instant)> on_payload;
    };
    enum class State : std::uint8_t { connecting, playing, ended, failed };
    struct Status {
        State state = State::connecting;
        std::uint32_t connections = 0;
        std::string problem;              // when failed
        std::uint64_t retransmitted = 0;  // by libsrt, in packets
    };

    [[nodiscard]] static Outcome<std::unique_ptr<SrtSource>> start(Options options);
    ~SrtSource();
    SrtSource(const SrtSource&) = delete;
    SrtSource& operator=(const SrtSource&) = delete;

    [[nodiscard]] Status status() const;
    // No more payloads; returns when the last one has been handed to SRT.
    void end_feed();

private:
    explicit SrtSource(Options options) : options_(std::move(options)) {}
    void run(const std::stop_token& stop);
    void keep_connected(Instant now);
    void send(const Payload& payload);
    void count_retransmissions();
    void set_state(State state, const std::string& problem = {});

    Options options_;
    os::Fd wake_;
    // The thread's own until it ends.
    SrtSocket socket_;
    bool connected_ = false;
    Instant next_dial_{0};
    std::uint64_t retransmitted_before_ = 0;  // on connections that are gone

    mutable std::mutex mutex_;  // guards status_
    Status status_;
    std::jthread thread_;
};

}  // namespace hawser::demo
