// SPDX-License-Identifier: MIT
// radiod's status and command packets: one byte of type, then elements, then the end mark. Both directions.
// Source: ka9q-radio 4e0033b4 (status.c).
//
//   packet    0 STATUS | 1 CMD, elements, 0
//   element   u8 field, length, value
//   length    0..127: one byte; else 0x80 | n, then n bytes, big-endian
//   integer   big-endian without its leading zero bytes, so that 0 has no bytes; a negative one is 8 bytes
//   float     an IEEE 754 single's (or double's) bits as an integer: up to 4 (8) bytes, zero bytes missing on the left
//   socket    IPv4 address and port, 6 bytes; IPv6: 18
//
// The reader trusts nothing: it never reads past the packet, and stops at damage. The builder never writes past its
// buffer: what did not fit makes finish() refuse.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"
#include "engine/wire/radio_fields.h"

namespace hawser::wire {

enum class RadioPacketType : std::uint8_t { status = 0, command = 1 };

struct RadioElement {
    std::uint8_t field = 0;  // a number; RadioField where it is below radio_field_count
    Bytes value;
    std::uint64_t bits = 0;  // radio_integer(value); meaningless where the value is longer than that can be
};

class RadioReader {
public:
    // Absent when the first byte names no packet type.
    [[nodiscard]] static std::optional<RadioReader> over(Bytes packet) {
        if (packet.empty() || packet[0] > 1) return std::nullopt;
        return RadioReader(packet);
    }
    [[nodiscard]] RadioPacketType type() const { return type_; }

    // The next element; false at the end mark, at the end of the bytes, and at damage.
    [[nodiscard]] bool next(RadioElement& element) {
        // Nearly all there are: a short value, and a whole load's worth of packet behind the length.
        if (rest_.size() >= 10 && rest_[1] <= 8 && rest_[0] != 0) {
            const std::size_t length = rest_[1];
            element = {rest_[0], rest_.subspan(2, length), bits_of(load_be64(rest_.data() + 2), length)};
            rest_ = rest_.subspan(2 + length);
            return true;
        }
        return next_of_any(element);
    }
    // After next() answered false: an element ran past the end of the packet.
    [[nodiscard]] bool is_damaged() const { return damaged_; }
    // After next() answered false: the end mark was there. radiod ignores a command's last element without it.
    [[nodiscard]] bool has_end_mark() const { return ended_; }

private:
    explicit RadioReader(Bytes packet) : rest_(packet.subspan(1)), type_(static_cast<RadioPacketType>(packet[0])) {}
    // The first `length` of eight bytes as a number; in two steps, for no shift takes all 64 bits away.
    [[nodiscard]] static std::uint64_t bits_of(std::uint64_t eight, std::size_t length) {
        const std::size_t half = 32 - 4 * length;
        return (eight >> half) >> half;
    }
    [[nodiscard]] bool next_of_any(RadioElement& element) {
        if (rest_.empty()) return false;
        element.field = rest_[0];
        std::size_t length = 0;
        ended_ = element.field == 0;
        damaged_ = !ended_ && (!read_length(length) || length > rest_.size());
        if (ended_ || damaged_) {
            rest_ = {};
            return false;
        }
        element.value = rest_.first(length);
        element.bits = 0;
        if (length <= 8)
            for (const std::uint8_t byte : element.value) element.bits = (element.bits << 8) | byte;
        rest_ = rest_.subspan(length);
        return true;
    }
    // Of the element that begins with `rest_`; leaves there what follows the length.
    [[nodiscard]] bool read_length(std::size_t& length) {
        if (rest_.size() < 2) return false;
        length = rest_[1];
        rest_ = rest_.subspan(2);
        if (length < 0x80) return true;
        // Four bytes of length are more than any datagram's.
        const std::size_t count = length & 0x7Fu;
        if (count > 4 || count > rest_.size()) return false;
        length = 0;
        for (const std::uint8_t byte : rest_.first(count)) length = (length << 8) | byte;
        rest_ = rest_.subspan(count);
        return true;
    }

    Bytes rest_;
    RadioPacketType type_;
    bool damaged_ = false;
    bool ended_ = false;
};

// Values of elements. Those that are longer than the type can be are absent.
[[nodiscard]] inline std::optional<std::uint64_t> radio_integer(Bytes value) {
    if (value.size() > 8) return std::nullopt;
    std::uint64_t v = 0;
    for (const std::uint8_t byte : value) v = (v << 8) | byte;
    return v;
}
// radiod sends the 64 bits of a negative number; a 32-bit one of other senders is 4 bytes.
[[nodiscard]] inline std::int64_t radio_signed_of(std::uint64_t bits, std::size_t length) {
    if (length == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits));
    return static_cast<std::int64_t>(bits);
}
[[nodiscard]] inline std::optional<std::int64_t> radio_signed(Bytes value) {
    const auto v = radio_integer(value);
    if (!v) return std::nullopt;
    return radio_signed_of(*v, value.size());
}
[[nodiscard]] inline std::optional<bool> radio_bool(Bytes value) {
    const auto v = radio_integer(value);
    if (!v) return std::nullopt;
    return *v != 0;
}
// Up to 4 bytes are a single, up to 8 a double, whichever the field nominally is: as radiod reads them.
template <class Float>
[[nodiscard]] inline Float radio_float_of(std::uint64_t bits, std::size_t length) {
    if (length <= 4) return static_cast<Float>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return static_cast<Float>(std::bit_cast<double>(bits));
}
[[nodiscard]] inline std::optional<double> radio_float(Bytes value) {
    const auto v = radio_integer(value);
    if (!v) return std::nullopt;
    return radio_float_of<double>(*v, value.size());
}
// A double is always the bits of one: radiod takes four bytes sent for one as a tiny number.
[[nodiscard]] inline std::optional<double> radio_double(Bytes value) {
    const auto v = radio_integer(value);
    if (!v) return std::nullopt;
    return std::bit_cast<double>(*v);
}
[[nodiscard]] inline std::string_view radio_text(Bytes value) {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
}
[[nodiscard]] inline std::optional<Endpoint> radio_socket(Bytes value) {
    if (value.size() == 6) return Endpoint::from_v4(load_be32(value.data()), load_be16(value.data() + 4));
    if (value.size() != 18) return std::nullopt;
    Endpoint e;
    std::copy_n(value.data(), 16, e.address.begin());
    e.port = load_be16(value.data() + 16);
    return e;
}
// Linear powers of a spectrum: whole floats, not shortened. Bin i is in FFT order.
[[nodiscard]] inline std::size_t radio_bin_count(Bytes vector) { return vector.size() / 4; }
[[nodiscard]] inline float radio_bin(Bytes vector, std::size_t i) {
    return std::bit_cast<float>(load_be32(vector.data() + 4 * i));
}

class RadioBuilder {
public:
    // Writes into `room`, which outlives it.
    RadioBuilder(MutableBytes room, RadioPacketType type) : room_(room) { put_byte(static_cast<std::uint8_t>(type)); }
    // Elements alone, to be put into a packet later with elements().
    explicit RadioBuilder(MutableBytes room) : room_(room) {}

    void integer(RadioField field, std::uint64_t value) { shortened(field, value); }
    void signed_integer(RadioField field, std::int64_t value) { shortened(field, static_cast<std::uint64_t>(value)); }
    void boolean(RadioField field, bool value) { shortened(field, value ? 1 : 0); }
    // NaN is not sent.
    void float32(RadioField field, float value) {
        if (!std::isnan(value)) shortened(field, std::bit_cast<std::uint32_t>(value));
    }
    void float64(RadioField field, double value) {
        if (!std::isnan(value)) shortened(field, std::bit_cast<std::uint64_t>(value));
    }
    void text(RadioField field, std::string_view value) {
        bytes(field, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
    }
    void socket(RadioField field, const Endpoint& value) {
        std::uint8_t coded[18];
        std::size_t length = 16;
        if (value.is_v4()) {
            store_be32(coded, value.v4());
            length = 4;
        } else {
            std::copy(value.address.begin(), value.address.end(), coded);
        }
        store_be16(coded + length, value.port);
        bytes(field, Bytes(coded, length + 2));
    }
    void bytes(RadioField field, Bytes value) {
        put_byte(static_cast<std::uint8_t>(field));
        if (value.size() < 128) {
            put_byte(static_cast<std::uint8_t>(value.size()));
        } else if (value.size() < 0x1'0000) {
            put_byte(0x82);
            put_byte(static_cast<std::uint8_t>(value.size() >> 8));
            put_byte(static_cast<std::uint8_t>(value.size()));
        } else {
            overflowed_ = true;
            return;
        }
        elements(value);
    }
    // Elements that another builder made.
    void elements(Bytes whole) {
        if (room_.size() - at_ < whole.size()) {
            overflowed_ = true;
            return;
        }
        std::copy(whole.begin(), whole.end(), room_.data() + at_);
        at_ += whole.size();
    }
    [[nodiscard]] std::size_t size() const { return at_; }
    // Something did not fit; what is there is cut and must not be sent.
    [[nodiscard]] bool overflowed() const { return overflowed_; }
    [[nodiscard]] Bytes so_far() const { return Bytes(room_).first(at_); }
    // With the end mark; absent when it did not fit.
    [[nodiscard]] std::optional<Bytes> finish() {
        put_byte(0);
        if (overflowed_) return std::nullopt;
        return so_far();
    }

private:
    void put_byte(std::uint8_t byte) {
        if (at_ == room_.size()) {
            overflowed_ = true;
            return;
        }
        room_[at_++] = byte;
    }
    void shortened(RadioField field, std::uint64_t value) {
        std::uint8_t coded[8];
        store_be64(coded, value);
        const auto zeros = static_cast<std::size_t>(std::countl_zero(value) / 8);
        bytes(field, Bytes(coded).subspan(zeros));
    }

    MutableBytes room_;
    std::size_t at_ = 0;
    bool overflowed_ = false;
};

}  // namespace hawser::wire
