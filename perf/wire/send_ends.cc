// SPDX-License-Identifier: MIT
#include "perf/wire/send_ends.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace hawser::perf {

namespace {

// Far from the wrap: wraps are a matter of tests, not of speed.
constexpr std::uint32_t initial_sequence = 1'000'000;
constexpr std::int64_t repeat_ns = 20'000'000;

FarEnd::Settings far_settings(bool registration, const Load& load) {
    FarEnd::Settings s;
    s.registration = registration;
    s.initial_sequence = initial_sequence;
    s.packets_max = load.packets_max();
    if (load.kind == Load::Kind::window) s.srt_ack_packets = window_srt_ack_packets;
    return s;
}

}  // namespace

SourcesFile::SourcesFile(unsigned links) {
    const int fd = mkstemp(path_);
    if (fd < 0) die("mkstemp");
    close(fd);
    std::ofstream file(path_);
    for (unsigned i = 0; i < links; ++i) file << "127.0.0." << 2 + i << '\n';
}

SourcesFile::~SourcesFile() { unlink(path_); }

SendEnds::SendEnds(bool registration, const Load& load, unsigned links)
    : links_(links),
      sources_(links),
      far_(far_settings(registration, load)),
      srt_port_(free_port()),
      near_(srt_port_, initial_sequence) {}

std::vector<Placeholder> SendEnds::placeholders() const {
    return {{"srt_port", std::to_string(srt_port_)},
            {"host", "127.0.0.1"},
            {"port", std::to_string(far_.port())},
            {"ips", sources_.path()},
            {"links", std::to_string(links_)}};
}

bool SendEnds::open(std::int64_t now) {
    if (now - said_ < repeat_ns) return false;
    said_ = now;
    const bool session = near_.handshake();
    if (session && far_.links() >= links_) return true;
    // A program without registration shows a link by sending on it.
    if (far_.links() < links_) near_.keepalive();
    return false;
}

std::string SendEnds::progress() const { return std::to_string(far_.links()) + " links of " + std::to_string(links_); }

void SendEnds::acknowledge(std::int64_t now) {
    if (now - ack_due_ > srt_ack_period_ns) ack_due_ = now + srt_ack_phase_ns;
    if (now < ack_due_) return;
    far_.srt_acks(now);
    ack_due_ += srt_ack_period_ns;
}

unsigned SendEnds::links_used() const {
    unsigned used = 0;
    for (const std::uint64_t n : far_.by_link()) used += n > 0 ? 1 : 0;
    return used;
}

}  // namespace hawser::perf
