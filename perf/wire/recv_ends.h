// SPDX-License-Identifier: MIT
// Both ends of a receiver under test: a fleet of SRTLA senders in front, one SRT server behind.
// Placeholders: {port} {host} {srt_port} {links} {groups}.
#pragma once

#include <string>
#include <vector>

#include "perf/wire/fleet.h"
#include "perf/wire/load_run.h"
#include "perf/wire/server_end.h"

namespace hawser::perf {

class RecvEnds : public Ends {
public:
    RecvEnds(bool registration, const Load& load, unsigned links)
        : groups_(load.groups),
          links_(links),
          port_(free_port()),
          server_(load.groups, load.packets_max(), load.kind == Load::Kind::window ? window_srt_ack_packets : 0),
          fleet_(port_, load.groups, links, registration) {}

    [[nodiscard]] std::vector<Placeholder> placeholders() const override {
        return {{"port", std::to_string(port_)},
                {"host", "127.0.0.1"},
                {"srt_port", std::to_string(server_.port())},
                {"links", std::to_string(links_)},
                {"groups", std::to_string(groups_)}};
    }
    bool open(std::int64_t now) override { return fleet_.open(now); }
    [[nodiscard]] std::string progress() const override {
        return std::to_string(fleet_.open_groups()) + " groups of " + std::to_string(groups_);
    }
    void send(std::uint64_t index, unsigned count, std::int64_t now) override { fleet_.send(index, count, now); }
    bool poll(std::int64_t now) override { return server_.poll(now); }
    void acknowledge(std::int64_t now) override { server_.acknowledge(now, srt_ack_period_ns, srt_ack_phase_ns); }
    void drain() override { fleet_.drain(); }
    [[nodiscard]] std::uint64_t received() const override { return server_.received(); }
    [[nodiscard]] std::uint64_t duplicates() const override { return server_.duplicates(); }
    [[nodiscard]] std::uint64_t returned() const override { return fleet_.returned(); }
    [[nodiscard]] unsigned links_used() const override { return links_; }
    [[nodiscard]] const std::vector<std::uint32_t>& latency_ns() const override { return server_.latency_ns(); }

private:
    unsigned groups_;
    unsigned links_;
    std::uint16_t port_;
    ServerEnd server_;
    Fleet fleet_;
};

}  // namespace hawser::perf
