// SPDX-License-Identifier: MIT
// Recordings on request: the recorder is held, copied and let go on, and a thread of its own makes a file of the copy.
// One at a time. Files come to be in one folder only, under new names only, readable by their owner alone, and not more
// than `recordings_bound`. What there is no memory for is told, and harms nothing else.
// Control thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/border/command.h"
#include "platform/app/flight/flight_copy.h"
#include "platform/app/flight/recorder_settings.h"
#include "platform/control/rpc/methods.h"
#include "platform/control/worker.h"

namespace hawser::app {

class FlightDumps {
public:
    // The way to the pump.
    struct Pump {
        std::function<void(CommandKind)> order;
        std::function<bool(std::function<void()>)> when_fresh;  // after the pump's next figures; false: not now
        std::function<bool()> is_still;                         // as those say it is held, or the pump has ended
        std::function<FlightCopy()> copy;                       // without the clocks; may throw std::bad_alloc
    };

    // `role`: "send" or "recv", for file names.
    FlightDumps(control::Loop& loop, const RecorderSettings& settings, std::string role, Pump pump);

    // The file's path, where the recording will be. `name`: of a file in the folder; empty: made of role and time. The
    // error is a sentence. How it ended is logged, and in status().
    [[nodiscard]] Result<std::string, std::string> begin(const std::string& name);
    // recorder.dump and recorder.status.
    void add_methods(rpc::Methods& methods);
    // What was asked for is written before it returns, also where the pump ended before it could answer.
    void finish();

private:
    struct Last {
        std::string path;
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
        std::string error;
    };
    void take_copy(int tries_left);
    [[nodiscard]] Result<FlightCopy, std::string> copy() const;
    void write(const std::string& path, FlightCopy copy);
    [[nodiscard]] static Last write_file(const std::string& path, const FlightCopy& copy);
    void end(Last last);
    [[nodiscard]] rpc::Json status() const;

    RecorderSettings settings_;
    std::string role_;
    Pump pump_;
    control::Worker worker_;
    bool is_busy_ = false;
    std::string awaited_;  // while busy, until the pump has answered: the path
    std::optional<Last> last_;
};

}  // namespace hawser::app
