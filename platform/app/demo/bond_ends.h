// SPDX-License-Identifier: MIT
// The two ends of the bond under demonstration, each the real engine on a pump thread of its own.
// This file and its source are all of the demonstration that knows the engine; the rest sees UDP ports and rows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platform/app/demo/options.h"
#include "platform/app/demo/problem.h"
#include "platform/app/demo/report.h"

namespace hawser::demo {

class BondEnds {
public:
    // The receiver: SRTLA in on `srtla_port` of 127.0.0.1, SRT out to `srt_port` there.
    [[nodiscard]] static Outcome<std::unique_ptr<BondEnds>> start_receiver(IoChoice io, std::uint16_t srtla_port,
                                                                           std::uint16_t srt_port);
    // The sender: SRT in on `srt_port` of 127.0.0.1, SRTLA out to `srtla_port` there from each of `sources` (IPv4).
    [[nodiscard]] Outcome<Unit> start_sender(const Options& options, std::uint16_t srt_port, std::uint16_t srtla_port,
                                             const std::vector<std::uint32_t>& sources);
    ~BondEnds();  // sender first

    // As the sender last published; in the order of the sources.
    [[nodiscard]] std::vector<LinkRow> links();
    [[nodiscard]] std::string io_name() const;

private:
    struct State;
    explicit BondEnds(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hawser::demo
