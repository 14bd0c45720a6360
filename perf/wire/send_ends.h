// SPDX-License-Identifier: MIT
// Both ends of a sender under test: an SRT caller in front, an SRTLA receiver with its SRT server behind.
// Placeholders: {srt_port} {host} {port} {ips} {links}.
#pragma once

#include <string>
#include <vector>

#include "perf/wire/far_end.h"
#include "perf/wire/load_run.h"
#include "perf/wire/near_end.h"

namespace hawser::perf {

// 127.0.0.2 and up, one per line, for as long as the object lives.
class SourcesFile {
public:
    explicit SourcesFile(unsigned links);
    SourcesFile(const SourcesFile&) = delete;
    SourcesFile& operator=(const SourcesFile&) = delete;
    ~SourcesFile();
    [[nodiscard]] std::string path() const { return path_; }

private:
    char path_[32] = "/tmp/hawser-perf-XXXXXX";
};

class SendEnds : public Ends {
public:
    SendEnds(bool registration, const Load& load, unsigned links);

    [[nodiscard]] std::vector<Placeholder> placeholders() const override;
    bool open(std::int64_t now) override;
    [[nodiscard]] std::string progress() const override;
    void send(std::uint64_t index, unsigned count, std::int64_t now) override { near_.send(index, count, now); }
    bool poll(std::int64_t now) override { return far_.poll(now); }
    void acknowledge(std::int64_t now) override;
    void drain() override { near_.drain(); }
    [[nodiscard]] std::uint64_t received() const override { return far_.received(); }
    [[nodiscard]] std::uint64_t duplicates() const override { return far_.duplicates(); }
    [[nodiscard]] std::uint64_t returned() const override { return near_.returned(); }
    [[nodiscard]] unsigned links_used() const override;
    [[nodiscard]] const std::vector<std::uint32_t>& latency_ns() const override { return far_.latency_ns(); }

private:
    unsigned links_;
    SourcesFile sources_;
    FarEnd far_;
    std::uint16_t srt_port_;
    NearEnd near_;
    std::int64_t said_ = 0;
    std::int64_t ack_due_ = 0;
};

}  // namespace hawser::perf
