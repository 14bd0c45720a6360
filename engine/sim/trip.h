// SPDX-License-Identifier: MIT
// A trip: a live source behind SRT, the real bond::Sender on its real pump, links of any shape, the real
// bond::Receiver (or the least that every public receiver does), an SRT receiver, and a viewer who wants each payload
// in time. Everything under one virtual clock; the outcome is a function of the Trip and nothing else.
//
// The scenario's clock (offsets of traces, outages) begins when the SRT connection is up; media begin `lead` later (or
// up to 2 ms sooner, by chance) and go on for `seconds`. Figures of links count from the scenario's clock on.
// For `hawser sim`, tests and tuning.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/bond/receiver_options.h"
#include "engine/bond/sender.h"
#include "engine/border/flight_recorder.h"
#include "engine/border/selection.h"
#include "engine/border/sender_snapshot.h"
#include "engine/sim/line.h"
#include "engine/sim/srt_settings.h"

namespace hawser::sim {

// One payload on the wire: with the headers of SRT (16), UDP and IP.
inline constexpr std::int64_t payload_wire_bytes = payload_bytes + 16 + wire_overhead_bytes;

struct TripLink {
    LineShape up;  // from sender to receiver
    LineShape down;
    UplinkSettings settings;  // as its operator says
};

// An encoder that follows the sender's figure of what it may send (bond/safe_rate.h), within its own limits.
struct TripEncoder {
    bool follows = false;
    Duration every{1'000'000'000};  // it looks so often
    double kbit_per_second_min = 300;
    double kbit_per_second_max = 6000;
};

enum class TripReceiver : std::uint8_t {
    hawser,  // bond::Receiver
    plain,   // an SRTLA ACK for each ten packets of a link, SRT's ACKs to every link, the rest to the last one heard
};

struct Trip {
    std::vector<TripLink> links;    // at most links_max
    double kbit_per_second = 6000;  // of payload
    TripEncoder encoder;            // where it follows: kbit_per_second is what it begins with
    double seconds = 40;
    std::uint64_t seed = 1;    // of the network: which packets are lost, how late they are
    std::uint64_t repeat = 0;  // of all else (sequence numbers, ids, the moment of dialling): another run, same network
    SrtSettings srt;
    select::Settings selection;
    bond::SenderOptions sender;  // addresses are filled in
    TripReceiver receiver = TripReceiver::plain;
    bond::ReceiverOptions receiver_options;  // the same
    Duration coalesce{500'000};              // of both pumps: the longest wait for company
    Duration lead{500'000'000};
    Duration grace{300'000'000};         // on time: handed over within latency + grace of being made
    Duration series_bucket{};            // zero: no time series
    bool keep_hand_overs = false;        // TripOutcome::hand_overs
    std::uint32_t recorded_packets = 0;  // TripOutcome::flight; of the sender, the last so many
};

struct LinkOutcome {
    LineFigures up;
    LineFigures down;
    double share = 0;  // of all bytes into the links
    double use = 0;    // bytes out of it, of its capacity
};

// A payload handed to the viewer.
struct HandOver {
    std::uint32_t index = 0;
    Instant made;  // on a clock that begins with the first payload
    Instant got;
};

struct TripOutcome {
    // Of all payloads that the source made.
    double on_time = 0;
    double delivered = 0;
    std::uint64_t payloads = 0;
    std::uint64_t late = 0;
    double longest_gap_ms = 0;   // between hand-overs in time
    std::uint32_t gaps_200 = 0;  // above 200 ms
    double gap_total_ms = 0;
    std::uint32_t hurt_seconds = 0;  // of media, that lost more than 1 %
    double delay_p50_ms = 0;
    double delay_p99_ms = 0;
    double retrans_overhead = 0;  // SRT's retransmissions, of its unique packets
    double wire_overhead = 0;     // bytes into the links beyond the media's own
    std::vector<LinkOutcome> links;
    // What the encoder sent, where it follows: kbit/s of each look on.
    std::vector<double> encoder_kbps;

    std::uint64_t srt_unique = 0, srt_retransmissions = 0, srt_sender_drops = 0;
    std::uint64_t srt_acks = 0, srt_naks = 0;         // that reached the SRT sender
    std::uint64_t srt_given_up = 0, srt_belated = 0;  // at the SRT receiver: skipped; came after they were skipped
    std::uint64_t srt_repeated = 0;                   // it had them already
    std::uint64_t refused = 0;                        // payloads that the SRT sender had no room for
    std::uint64_t unheld = 0;  // datagrams lost because more was under way than a trip can hold: not a fair trip

    bool connected = false;
    SenderSnapshot sender;  // at the end of the media
    std::vector<HandOver> hand_overs;
    std::vector<FlightRecord> flight;  // what the sender's flight recorder holds when the media end
    std::uint64_t digest = 0;          // over every arrival; equal for equal trips
    std::uint64_t events = 0;          // steps of the clock
};

[[nodiscard]] TripOutcome run(const Trip& trip);

// Mean capacity of all upward lines over the media's time, outages aside, in kbit/s of whole payloads on the wire:
// loads are named as percentages of it. source kbit/s = capacity * load * payload_bytes / payload_wire_bytes.
[[nodiscard]] double capacity_kbps(const Trip& trip);

// The share of payloads that the same links could bring to the far end within the latency of being made. (The measured
// share has `grace` on top, which only takes out the handshake's delay.) SRT's headers count, nothing else of it.
//   omniscient: knows the future; the recorded experiments' oracle to the letter. Every line's capacity is cut into
//     opportunities, one per payload of payload_wire_bytes; random losses and bursts shorten it by their mean, jitter
//     is its mean. Outages take away what leaves (drop, pause) or arrives (drop) in them, or make it late (hold). All
//     opportunities are one pool in order of time; each takes the oldest payload made by then that it brings in time,
//     looking past at most 200 that it does not. What no link can bring in time any more is dropped. Nothing is sent
//     twice, and no payload waits in a link's queue.
//   causal: knows the present state of every link at once, and nothing of what comes; oracle_causal.cc says how.
[[nodiscard]] double omniscient_on_time(const Trip& trip);
[[nodiscard]] double causal_on_time(const Trip& trip);

}  // namespace hawser::sim
