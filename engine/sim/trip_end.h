// SPDX-License-Identifier: MIT
// One end of a trip: a bond on the real pump, over a TripIo, run whenever it is due.
#pragma once

#include <memory>

#include "engine/border/border.h"
#include "engine/pump/pump.h"
#include "engine/sim/trip_io.h"

namespace hawser::sim {

template <class Bond>
class TripEnd {
public:
    template <class... Args>
    TripEnd(Pool& pool, const Instant& clock, TripIo::Network network, Duration coalesce, Args&&... args)
        : io_(pool, clock, network),
          bond_(std::forward<Args>(args)...),
          border_(std::make_unique<Border<typename Bond::Snapshot>>()),
          pump_(io_, pool, bond_, *border_, coalesce) {}

    [[nodiscard]] Border<typename Bond::Snapshot>& border() { return *border_; }
    [[nodiscard]] Bond& bond() { return bond_; }
    [[nodiscard]] TripIo& io() { return io_; }
    void start() { pump_.start(); }
    void command(const Command& c) {
        HAWSER_CHECK(border_->commands.push(c));
        io_.wake();
    }
    [[nodiscard]] Instant due() const { return io_.due(); }
    void run() {
        io_.grant();
        pump_.turn();
        // A further, empty turn says what is waited for next.
        pump_.turn();
        for (Event event; border_->events.pop(event);) {
        }
    }

private:
    TripIo io_;
    Bond bond_;
    std::unique_ptr<Border<typename Bond::Snapshot>> border_;
    Pump<TripIo, Bond> pump_;
};

}  // namespace hawser::sim
