// SPDX-License-Identifier: MIT
// A channel as it is wanted: what an operator declares, what one command creates, and what a status is held against.
// What is absent is left to radiod (its preset, its template) and not compared.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/endpoint.h"
#include "engine/radio/command.h"
#include "engine/radio/status.h"

namespace hawser::radio {

struct ChannelSpec {
    double frequency = 0;  // Hz
    Text<31> preset{};     // empty: not told
    std::optional<Demod> demod{};
    std::optional<std::uint32_t> samprate{};
    std::optional<Encoding> encoding{};
    std::optional<std::uint32_t> channels{};
    std::optional<Endpoint> dest{};  // the data group; its port is radiod's choice
    std::optional<float> low_edge{};
    std::optional<float> high_edge{};
    std::optional<float> kaiser_beta{};
    std::optional<float> gain{};  // dB; radiod switches the AGC off for it
    std::optional<bool> agc{};
    std::optional<std::uint32_t> lifetime{};  // blocks; 0 or absent: for ever, whatever radiod's template says
    // Spectrum channels.
    std::optional<std::uint32_t> bin_count{};
    std::optional<float> resolution_bw{};
    std::optional<float> crossover{};
    std::optional<std::uint32_t> window{};
    // Any other fields: told behind the rest, and compared by value.
    Command others{};
};

// Everything in one packet. The lifetime too where none is wanted: a channel that was just removed is there for some
// blocks yet, and its removal's lifetime goes on counting until another is told.
[[nodiscard]] Command command_for(const ChannelSpec& spec);
// What finds a channel without disturbing it: its frequency and lifetime, which neither restart a demodulator nor
// change anything of a channel that is as wanted.
[[nodiscard]] Command probe_for(const ChannelSpec& spec);
// The reply of a channel that the command itself has just made: nobody was there before. It was sent so many times,
// the first of them so long ago.
[[nodiscard]] bool is_newborn(const Status& status, std::uint32_t packets, Duration since);
// Ends the channel in every version of radiod: recent ones count the lifetime down, older ones take 0 Hz for the end.
// Long enough for the reply, which radiod sends one block after the command.
inline constexpr std::uint32_t removal_lifetime = 4;  // blocks
[[nodiscard]] Command command_to_remove();
// The status of a channel that such a command is ending: it goes without another word.
[[nodiscard]] bool is_ending(const Status& status);

// The status that radiod would answer with if it took the command to the letter; absent fields are not asked for.
[[nodiscard]] std::optional<Status> wanted_by(const Command& command);
// Fields of the command that radiod answers with another value, in the table's order. Those that tell nothing by their
// value are left out: tag, lifetime (it counts down), destination (its port is radiod's choice), option bits, and the
// scale of byte bins, which radiod sets anew for each sweep.
[[nodiscard]] std::optional<RadioField> next_difference(const Status& wanted, const Status& actual,
                                                        RadioField after = RadioField::eol);

// The first field whose value is another than wanted; absent: the channel is as wanted.
[[nodiscard]] std::optional<RadioField> first_difference(const ChannelSpec& spec, const Status& status);
// All of them, and what radiod has in their place.
struct Differences {
    std::optional<RadioField> first{};
    std::uint64_t mark = 0;  // another where another field differs, or has another value
};
[[nodiscard]] Differences differences(const ChannelSpec& spec, const Status& status);

}  // namespace hawser::radio
