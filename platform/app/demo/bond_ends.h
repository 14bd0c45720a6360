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
    // The receiver: SRTLA in on a port of its own choice, SRT out to `server_port`; both on 127.0.0.1.
    [[nodiscard]] static Outcome<std::unique_ptr<BondEnds>> start_receiver(IoChoice io, std::uint16_t server_port);
    // The sender: SRT in on a port of its own choice of 127.0.0.1, SRTLA out to `receiver_port` there from each of
    // `sources` (IPv4, host byte order).
    [[nodiscard]] Outcome<Unit> start_sender(const Options& options, std::uint16_t receiver_port,
                                             const std::vector<std::uint32_t>& sources);
    ~BondEnds();  // says goodbye at the sender's end first
    BondEnds(const BondEnds&) = delete;
    BondEnds& operator=(const BondEnds&) = delete;

    [[nodiscard]] std::uint16_t receiver_port() const;  // SRTLA
    [[nodiscard]] std::uint16_t caller_port() const;    // SRT, at the sender
    // As the sender published within the last tenth of a second; in the order of the sources. Rates are of the time
    // since the call before, if that is half a second or more.
    [[nodiscard]] std::vector<LinkRow> links();
    [[nodiscard]] std::string io_name() const;  // of the sender

private:
    struct State;
    explicit BondEnds(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hawser::demo
