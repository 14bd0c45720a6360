// SPDX-License-Identifier: MIT
// The elements of one command: what is to change, in the order in which radiod is to take it. Tag and SSRC are not
// among them: the tuner puts them in front. Bounded and without the heap.
// Order matters to radiod in one place: GAIN switches the AGC off, so AGC_ENABLE is put after it. PRESET is executed
// before everything else, wherever it stands. Of one field put twice the last counts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/radio/status.h"
#include "engine/wire/radio_tlv.h"

namespace hawser::radio {

// All fields that can be set, at their longest, take 700 bytes.
inline constexpr std::size_t command_bytes_max = 1024;

enum class FieldFault : std::uint8_t {
    unknown,       // no field has that name
    not_settable,  // radiod ignores it in commands
    bad_value,     // the text or value is none of the field's type
    too_much,      // the command is full
};

class Command {
public:
    // A value of another number type is converted where nothing is lost. The encoding opus-voip becomes Opus and its
    // application, as radiod's own tools ask for it: the number that its statuses may tell it takes too, and sends
    // nothing then (ka9q-radio 4e0033b4).
    Result<Unit, FieldFault> put(RadioField field, const FieldValue& value);
    // As an operator writes it: numbers, `on`/`off`, names of enumerations, frequencies. A group is
    // address[:port], or a name (it has a letter) that radiod's configuration calls it by.
    Result<Unit, FieldFault> put_text(RadioField field, std::string_view text);
    // The field by its dotted path or radiod's name.
    Result<Unit, FieldFault> put_text(std::string_view path, std::string_view text);

    // All of another's elements behind these; false, and nothing done, where they do not fit.
    bool append(const Command& other);

    [[nodiscard]] Bytes elements() const { return Bytes(bytes_).first(size_); }
    [[nodiscard]] bool empty() const { return size_ == 0; }

private:
    Result<Unit, FieldFault> put_opus_voip();

    std::array<std::uint8_t, command_bytes_max> bytes_{};
    std::size_t size_ = 0;
};

// The whole packet: tag, SSRC, elements, end mark. `room` holds command_packet_bytes_max.
inline constexpr std::size_t command_packet_bytes_max = command_bytes_max + 16;
[[nodiscard]] Bytes build_command(MutableBytes room, std::uint32_t tag, std::uint32_t ssrc, Bytes elements);

// Every running channel answers one.
inline constexpr std::uint32_t poll_all_ssrc = 0xFFFF'FFFF;

// The value as an operator reads it; empty when absent. Bins are given as their count.
[[nodiscard]] std::string format_value(RadioField field, const FieldValue& value);
// Names of a field that is an enumeration; empty for others.
[[nodiscard]] std::span<const EnumName> names_of(RadioField field);

}  // namespace hawser::radio
