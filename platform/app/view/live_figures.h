// SPDX-License-Identifier: MIT
// What `hawser status` and `hawser top` show of either end: get_stats as it comes, second by second, turned into rows
// with rates, shares, losses and a short history. Pure. Figures that are not there, of an older or newer program, are
// shown as none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "platform/control/rpc/json.h"

namespace hawser::app {

struct LiveLink {
    std::string name;
    std::string state;
    // Below zero: not known.
    double bytes_per_second = -1;
    double share = -1;  // of all links', percent
    double rtt_ms = -1;
    double loss = -1;       // percent of the packets since the figures before
    double window = -1;     // packets
    double in_flight = -1;  // packets
    double queue_ms = -1;
    std::vector<double> history;  // bytes per second, oldest first
};

class LiveFigures {
public:
    static constexpr std::size_t history_max = 30;

    // What get_stats answered, or a `stats` event.
    void take(const rpc::Params& stats);

    [[nodiscard]] bool is_sender() const { return is_sender_; }
    [[nodiscard]] const std::vector<LiveLink>& links() const { return rows_; }
    // What is said of the whole, above the table, line by line.
    [[nodiscard]] const std::vector<std::string>& summary() const { return summary_; }

private:
    struct Before {
        double bytes = 0;
        double packets = 0;
        double lost = 0;
        double naks = 0;
        std::deque<double> history;
        bool seen = false;  // in the newest figures
    };
    LiveLink row_of(const std::string& key, const rpc::Params& link, double seconds);
    void take_sender(const rpc::Params& stats, double seconds);
    void take_receiver(const rpc::Params& stats, double seconds);

    bool is_sender_ = true;
    double at_ms_ = -1;
    std::map<std::string, Before> before_;
    std::vector<LiveLink> rows_;
    std::vector<std::string> summary_;
};

// Eight heights of block, the greatest value at full height.
[[nodiscard]] std::string sparkline(const std::vector<double>& values);
// The table with a line of headings; `history`: with sparklines.
[[nodiscard]] std::string table_of(const LiveFigures& figures, bool history);

// What budgets.list answered.
[[nodiscard]] std::string budgets_table(const rpc::Params& answer);

}  // namespace hawser::app
