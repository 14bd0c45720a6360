// SPDX-License-Identifier: MIT
#include "engine/radio/command.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/radio/address.h"
#include "engine/radio/frequency.h"

namespace hawser::radio {

namespace {

using F = RadioField;
using wire::RadioType;

// Of a group, and no address that is misspelt.
bool is_name(std::string_view text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    // A number, and four parts: an address that is written wrong is not hashed into some group.
    const auto first = text.substr(0, text.find('.'));
    const bool is_address = std::count(text.begin(), text.end(), '.') == 3 &&
                            std::all_of(first.begin(), first.end(), [](char c) { return c >= '0' && c <= '9'; });
    return !is_address && std::any_of(text.begin(), text.end(), is_letter) && text.find_first_of(":, ") == text.npos;
}

// -------- conversions between the kinds of numbers, where nothing is lost

std::optional<double> as_real(const FieldValue& value) {
    if (const auto* v = std::get_if<double>(&value)) return *v;
    if (const auto* v = std::get_if<float>(&value)) return double{*v};
    if (const auto* v = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*v);
    if (const auto* v = std::get_if<std::int64_t>(&value)) return static_cast<double>(*v);
    return std::nullopt;
}
std::optional<std::uint64_t> as_unsigned(const FieldValue& value) {
    if (const auto* v = std::get_if<std::uint64_t>(&value)) return *v;
    if (const auto* v = std::get_if<bool>(&value)) return *v ? 1u : 0u;
    if (const auto* v = std::get_if<std::int64_t>(&value)) {
        if (*v < 0) return std::nullopt;
        return static_cast<std::uint64_t>(*v);
    }
    const auto real = as_real(value);
    if (!real || *real < 0 || *real >= 0x1p53 || std::trunc(*real) != *real) return std::nullopt;
    return static_cast<std::uint64_t>(*real);
}
std::optional<bool> as_bool(const FieldValue& value) {
    if (const auto* v = std::get_if<bool>(&value)) return *v;
    const auto number = as_unsigned(value);
    if (!number || *number > 1) return std::nullopt;
    return *number == 1;
}
std::optional<std::int64_t> as_signed(const FieldValue& value) {
    if (const auto* v = std::get_if<std::int64_t>(&value)) return *v;
    const auto number = as_unsigned(value);
    if (!number || *number > 0x7FFF'FFFF'FFFF'FFFF) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

std::optional<bool> parse_switch(std::string_view text) {
    for (const std::string_view on : {"on", "true", "yes", "1"})
        if (text == on) return true;
    for (const std::string_view off : {"off", "false", "no", "0"})
        if (text == off) return false;
    return std::nullopt;
}

std::string format_endpoint(const Endpoint& e) {
    std::string text;
    if (e.is_v4()) {
        for (std::size_t i = 12; i < 16; ++i) {
            if (i > 12) text += '.';
            text += std::to_string(e.address[i]);
        }
    } else {
        constexpr std::string_view digits = "0123456789abcdef";
        text += '[';
        for (std::size_t i = 0; i < 16; ++i) {
            if (i != 0 && i % 2 == 0) text += ':';
            text += digits[e.address[i] >> 4];
            text += digits[e.address[i] & 15];
        }
        text += ']';
    }
    return text + ':' + std::to_string(e.port);
}

}  // namespace

std::span<const EnumName> names_of(RadioField field) {
    switch (field) {
        case F::demod_type: return demod_names;
        case F::output_encoding: return encoding_names;
        case F::window_type: return window_names;
        case F::opus_application: return opus_application_names;
        default: return {};
    }
}

Result<Unit, FieldFault> Command::put(RadioField field, const FieldValue& value) {
    const auto index = static_cast<std::size_t>(field);
    if (index >= wire::radio_field_count) return Failure{FieldFault::unknown};
    const wire::RadioFieldRow& row = wire::row_of(field);
    if (!row.settable || field == F::command_tag) return Failure{FieldFault::not_settable};
    if (field == F::output_encoding &&
        as_unsigned(value) == std::uint64_t{static_cast<std::uint8_t>(Encoding::opus_voip)})
        return put_opus_voip();
    wire::RadioBuilder builder(MutableBytes(bytes_).subspan(size_));
    bool fits_type = false;
    switch (row.type) {
        case RadioType::integer:
            if (const auto v = as_unsigned(value)) fits_type = true, builder.integer(field, *v);
            break;
        case RadioType::signed_integer:
            if (const auto v = as_signed(value)) fits_type = true, builder.signed_integer(field, *v);
            break;
        case RadioType::boolean:
            if (const auto v = as_bool(value)) fits_type = true, builder.boolean(field, *v);
            break;
        case RadioType::float32:
            if (const auto v = as_real(value); v && std::isfinite(static_cast<float>(*v)))
                fits_type = true, builder.float32(field, static_cast<float>(*v));
            break;
        case RadioType::float64:
            if (const auto v = as_real(value); v && std::isfinite(*v)) fits_type = true, builder.float64(field, *v);
            break;
        case RadioType::text:
            // 31: as much of a preset's name as radiod keeps.
            if (const auto* v = std::get_if<std::string_view>(&value); v != nullptr && v->size() <= 31)
                fits_type = true, builder.text(field, *v);
            break;
        case RadioType::socket:
            if (const auto* v = std::get_if<Endpoint>(&value)) fits_type = true, builder.socket(field, *v);
            break;
        case RadioType::none:
        case RadioType::vector:
        case RadioType::bytes: break;
    }
    if (!fits_type) return Failure{FieldFault::bad_value};
    if (builder.overflowed()) return Failure{FieldFault::too_much};
    size_ += builder.size();
    return Unit{};
}

Result<Unit, FieldFault> Command::put_opus_voip() {
    const std::size_t before = size_;
    auto done = put(F::output_encoding, std::uint64_t{static_cast<std::uint8_t>(Encoding::opus)});
    if (done) done = put(F::opus_application, std::uint64_t{static_cast<std::uint16_t>(OpusApplication::voip)});
    if (!done) size_ = before;
    return done;
}

Result<Unit, FieldFault> Command::put_text(RadioField field, std::string_view text) {
    if (static_cast<std::size_t>(field) >= wire::radio_field_count) return Failure{FieldFault::unknown};
    if (const auto named = radio::value_of(names_of(field), text)) return put(field, std::uint64_t{*named});
    const wire::RadioFieldRow& row = wire::row_of(field);
    FieldValue value;
    switch (row.type) {
        case RadioType::integer:
            if (const auto v = parse_integer(text))
                value = *v;
            else if (const auto rate = row.unit == "Hz" ? parse_frequency(text) : std::nullopt)
                value = *rate;
            break;
        case RadioType::boolean:
            if (const auto v = parse_switch(text)) value = *v;
            break;
        case RadioType::signed_integer:
        case RadioType::float32:
        case RadioType::float64:
            if (const auto v = parse_number(text))
                value = *v;
            else if (const auto hz = row.unit == "Hz" ? parse_frequency(text) : std::nullopt)
                value = *hz;
            break;
        case RadioType::text: value = text; break;
        case RadioType::socket:
            if (const auto v = parse_group(text))
                value = *v;
            else if (is_name(text))
                value = Endpoint::from_v4(group_of_name(text), 0);
            break;
        case RadioType::none:
        case RadioType::vector:
        case RadioType::bytes: break;
    }
    return put(field, value);
}

Result<Unit, FieldFault> Command::put_text(std::string_view path, std::string_view text) {
    const auto field = wire::find_radio_field(path);
    if (!field) return Failure{FieldFault::unknown};
    return put_text(*field, text);
}

bool Command::append(const Command& other) {
    if (other.size_ > bytes_.size() - size_) return false;
    std::copy_n(other.bytes_.begin(), other.size_, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += other.size_;
    return true;
}

Bytes build_command(MutableBytes room, std::uint32_t tag, std::uint32_t ssrc, Bytes elements) {
    wire::RadioBuilder builder(room, wire::RadioPacketType::command);
    builder.integer(F::command_tag, tag);
    builder.integer(F::output_ssrc, ssrc);
    builder.elements(elements);
    const auto packet = builder.finish();
    HAWSER_CHECK(packet.has_value());
    return *packet;
}

std::string format_value(RadioField field, const FieldValue& value) {
    if (const auto* v = std::get_if<std::uint64_t>(&value)) {
        const std::string_view name = name_of(names_of(field), *v);
        return name.empty() ? std::to_string(*v) : std::string(name);
    }
    if (const auto* v = std::get_if<std::int64_t>(&value)) return std::to_string(*v);
    if (const auto* v = std::get_if<bool>(&value)) return *v ? "on" : "off";
    if (const auto* v = std::get_if<float>(&value)) return format_number(*v);
    if (const auto* v = std::get_if<double>(&value)) return format_number(*v);
    if (const auto* v = std::get_if<std::string_view>(&value)) return std::string(*v);
    if (const auto* v = std::get_if<Endpoint>(&value)) return format_endpoint(*v);
    if (const auto* v = std::get_if<Bytes>(&value))
        return std::to_string(field == F::bin_data ? wire::radio_bin_count(*v) : v->size()) + " bins";
    return {};
}

}  // namespace hawser::radio
