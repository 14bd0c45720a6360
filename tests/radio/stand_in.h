// SPDX-License-Identifier: MIT
// A radiod without radio: takes command packets, gives status and RTP packets, in blocks of 20 ms of a clock that it is
// given. It behaves as ka9q-radio 4e0033b4 was seen and read to behave, surprises included:
//  - a channel takes one command per block, from a queue of two places; a third is dropped without a word
//  - an unknown SSRC creates a channel; the template's 0 is nobody; 0xffffffff asks every channel, four answers a block
//  - the tag of the last command is in every later status; a command without its end mark loses its last element
//  - the lifetime counts down per block, and each executed command starts it again; no farewell
//  - a change of rate or demodulator restarts: the reply comes at once with the old clock's snapshot, the timestamp
//    begins again one block before 0, the sequence goes on, and the payload type stays what it was
// Held against real packets in stand_in_test.cc. Pure: used in simulated time and behind real sockets alike.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/radio/status.h"

namespace hawser::radio_tests {

struct StandInOptions {
    Endpoint status_group = Endpoint::from_v4(0xEF6C9B20, 5006);
    Endpoint data_group = Endpoint::from_v4(0xEFD2D3BB, 5004);
    std::uint16_t source_port = 44717;
    std::uint8_t ttl = 0;
    std::string description = "stand-in";
    std::string preset = "usb";                                  // of the template
    std::uint32_t lifetime = 0;                                  // of the template, blocks
    double carrier_hz = 1e6;                                     // one unmodulated signal is on the air
    std::uint64_t gps_time_at_zero = 1'479'252'561'000'000'000;  // at Instant 0
    Duration block{20'000'000};
    bool media = true;  // RTP and periodic statuses are sent at all
    // 20 ms at 48 kHz, interleaved, to a packet; without it Opus channels send one frame of the real one for ever.
    std::function<std::vector<std::uint8_t>(std::uint32_t ssrc, std::uint32_t channels, std::span<const float>)>
        encode_opus{};
    std::size_t channels_max = 2000;
};

class StandIn {
public:
    struct Datagram {
        Endpoint to;
        std::vector<std::uint8_t> bytes;
    };

    StandIn(const StandInOptions& options, Instant start);

    // A datagram that came to the status group.
    void on_command(Bytes packet, Instant now);
    // The blocks that are due.
    void run(Instant now);
    [[nodiscard]] Instant next_deadline() const { return next_block_; }
    // What was sent since last asked.
    [[nodiscard]] std::vector<Datagram> take_sent();

    [[nodiscard]] std::size_t channel_count() const { return channels_.size(); }
    [[nodiscard]] bool has(std::uint32_t ssrc) const { return find(ssrc) != nullptr; }
    [[nodiscard]] std::uint64_t dropped_commands() const { return dropped_commands_; }
    // Of every channel; what a squelch does.
    void set_muted(bool muted) { muted_ = muted; }

private:
    struct Channel {
        std::uint32_t ssrc = 0;
        std::size_t index = 0;  // in radiod's table
        std::uint32_t tag = 0;
        std::uint64_t commands = 0;
        std::uint32_t lifetime_start = 0;
        std::uint32_t lifetime = 0;
        radio::Demod demod = radio::Demod::linear;
        std::string preset;
        std::uint32_t samprate = 12'000;
        std::uint32_t channels = 1;
        radio::Encoding encoding = radio::Encoding::s16be;
        double frequency = 0;
        double shift = 0;
        float low = -5000, high = 5000, kaiser = 11;
        bool agc = true, envelope = false, isb = false, pll = false, snr_squelch = false, thresh_extend = false;
        float gain = 50, headroom = -15, hang = 1.1F, recovery = 20, threshold = -15;
        float squelch_open = 8, squelch_close = 7;
        Endpoint dest;
        std::uint32_t status_interval = 25;
        std::uint32_t maxdelay = 0;
        std::uint32_t opus_bit_rate = 0, opus_application = 2049;
        bool opus_dtx = false;
        std::uint64_t options = 0;
        std::uint32_t bin_count = 0, window = 0, average = 1;
        float resolution_bw = 0, crossover = 200, shape = 7, overlap = 0;
        bool has_bins = false;
        std::uint16_t sequence = 0;
        std::uint32_t timestamp = 0;
        std::uint8_t payload_type = 122;
        std::uint32_t held_frames = 0;  // of an encoding that is not sent
        bool silent = true;             // no packet in the last block: the next one is marked
        std::uint64_t data_packets = 0, status_packets = 0, samples = 0;
        double phase = 0;
        std::uint32_t blocks_to_status = 0;
        std::uint32_t blocks_to_poll = 0;  // 0: not polled
        bool reply_pending = false;
        std::array<std::optional<std::vector<std::uint8_t>>, 2> queue;
    };

    [[nodiscard]] const Channel* find(std::uint32_t ssrc) const;
    Channel* create(std::uint32_t ssrc);
    // True when the demodulator is to restart.
    [[nodiscard]] bool execute(Channel& channel, Bytes packet);
    void apply_preset(Channel& channel, std::string_view name);
    void apply(Channel& channel, std::uint8_t field, Bytes value);
    void execute_and_restart(Channel& channel, Bytes packet, Instant now);
    void restart(Channel& channel);
    void run_block(Channel& channel, Instant now);
    void send_media(Channel& channel);
    [[nodiscard]] std::vector<float> tone(Channel& channel, std::size_t frames, std::uint32_t rate) const;
    void send_status(Channel& channel, const Endpoint& to, Instant now);
    void reply(Channel& channel, Instant now);
    [[nodiscard]] std::uint64_t block_samples() const;  // of the front end
    [[nodiscard]] std::uint32_t block_frames(const Channel& channel) const;
    [[nodiscard]] std::uint8_t payload_type_of(const Channel& channel);

    StandInOptions options_;
    Instant start_;
    Instant next_block_;
    std::uint64_t blocks_ = 0;
    bool muted_ = false;
    std::uint64_t dropped_commands_ = 0;
    std::map<std::uint32_t, Channel> channels_;
    std::vector<std::array<std::uint32_t, 3>> dynamic_types_;  // encoding, rate, channels: payload types from 77 upward
    std::vector<Datagram> sent_;
};

}  // namespace hawser::radio_tests
