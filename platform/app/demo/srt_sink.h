// SPDX-License-Identifier: MIT
// The viewer's end: a libsrt listener that takes one caller after another and reports every payload that SRT hands
// over, when it hands it over. A caller that comes while one is there replaces it, as a restarted encoder's does.
// Owns one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include "engine/base/time.h"
#include "platform/app/demo/problem.h"
#include "platform/app/demo/srt_library.h"

namespace hawser::demo {

class SrtSink {
public:
    struct Options {
        std::string host = "127.0.0.1";  // IPv4 or IPv6, numeric
        std::uint16_t port = 0;          // 0: any
        std::uint32_t latency_ms = 0;
        int reorder_tolerance = advised_reorder_tolerance;  // SRTO_LOSSMAXTTL, packets
        // Called on the sink's thread.
        std::function<void(std::span<const std::uint8_t> payload, std::uint32_t sequence, Instant)> on_payload;
    };
    struct Status {
        std::uint32_t connections = 0;
        bool connected = false;
        // By libsrt's count, of the connection that end() found.
        std::uint64_t given_up = 0;  // packets skipped because they had not come in time
        std::uint64_t belated = 0;   // that came after they were skipped
        std::uint64_t repeated = 0;  // that were there already
    };

    [[nodiscard]] static Outcome<std::unique_ptr<SrtSink>> start(Options options);
    ~SrtSink();
    SrtSink(const SrtSink&) = delete;
    SrtSink& operator=(const SrtSink&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] Status status() const;
    void end();  // no call of on_payload after it

private:
    explicit SrtSink(Options options) : options_(std::move(options)) {}
    [[nodiscard]] Outcome<Unit> listen();
    void run(const std::stop_token& stop);
    void accept();
    void read_all();
    void count_losses();

    Options options_;
    std::uint16_t port_ = 0;
    SrtSocket listener_;
    SrtSocket caller_;
    int epoll_ = -1;

    mutable std::mutex mutex_;  // guards status_
    Status status_;
    std::jthread thread_;
};

}  // namespace hawser::demo
