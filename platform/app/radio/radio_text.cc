// SPDX-License-Identifier: MIT
#include "platform/app/radio/radio_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/radio/command.h"
#include "engine/radio/frequency.h"
#include "platform/app/plain_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using Json = nlohmann::ordered_json;
using radio::FieldValue;

Json number_json(double v) {
    if (std::isfinite(v)) return v;
    return std::isnan(v) ? Json(nullptr) : Json(v > 0 ? "inf" : "-inf");
}

// A float by its shortest digits: 0.1 and not 0.10000000149.
Json value_json(radio::RadioField field, const FieldValue& value) {
    if (!radio::names_of(field).empty()) {
        const std::string name = radio::format_value(field, value);
        if (!name.empty()) return name;
    }
    if (const auto* v = std::get_if<std::uint64_t>(&value)) return *v;
    if (const auto* v = std::get_if<std::int64_t>(&value)) return *v;
    if (const auto* v = std::get_if<bool>(&value)) return *v;
    if (const auto* v = std::get_if<double>(&value)) return number_json(*v);
    if (const auto* v = std::get_if<float>(&value)) {
        if (!std::isfinite(*v)) return number_json(*v);
        return radio::parse_number(radio::format_number(*v)).value_or(double{*v});
    }
    if (const auto* v = std::get_if<Bytes>(&value))
        return field == radio::RadioField::bin_data ? wire::radio_bin_count(*v) : v->size();
    return radio::format_value(field, value);
}

void sort_by_place(std::vector<const radio::OnAir*>& channels) {
    std::sort(channels.begin(), channels.end(), [](const radio::OnAir* a, const radio::OnAir* b) {
        const auto key = [](const radio::OnAir* c) {
            // What is no number, as anybody may send it, is neither before nor behind another: behind all of them.
            const double f = c->status.channel.frequency;
            return std::tuple(c->status.output.dest.address, std::isnan(f), std::isnan(f) ? 0 : f,
                              c->status.channel.ssrc, c->source.port);
        };
        return key(a) < key(b);
    });
}

template <class Use>
void for_each_field(const radio::Status& status, Use use) {
    for (const auto& row : wire::radio_fields) {
        if (row.type == wire::RadioType::none || !status.has(row.field)) continue;
        const FieldValue value = radio::value_of(status, row.field);
        if (!std::holds_alternative<std::monostate>(value)) use(row, value);
    }
}

}  // namespace

Json status_json(const radio::Status& status) {
    Json out = Json::object();
    for_each_field(status, [&](const auto& row, const FieldValue& value) {
        const std::size_t dot = row.path.find('.');
        out[std::string(row.path.substr(0, dot))][std::string(row.path.substr(dot + 1))] = value_json(row.field, value);
    });
    if (const auto snr = status.snr_db()) out["channel"]["snr"] = number_json(*snr);
    return out;
}

std::string status_text(const radio::Status& status) {
    std::string out;
    for_each_field(status, [&](const auto& row, const FieldValue& value) {
        out += fmt::format("{:<30} {}{}{}\n", row.path, printable(radio::format_value(row.field, value)),
                           row.unit.empty() ? "" : " ", row.unit);
    });
    if (const auto snr = status.snr_db()) out += fmt::format("{:<30} {:.1f} dB\n", "channel.snr", *snr);
    return out;
}

std::string channel_table(std::vector<const radio::OnAir*> channels) {
    sort_by_place(channels);
    std::string out = fmt::format("{:>10} {:>9} {:>15} {:>7} {:>2} {:<9} {:>7} {:<22} {}\n", "SSRC", "preset",
                                  "frequency, Hz", "rate", "ch", "encoding", "SNR, dB", "group", "radiod");
    for (const radio::OnAir* c : channels) {
        const radio::Status& s = c->status;
        const auto snr = s.snr_db();
        out += fmt::format("{:>10} {:>9} {:>15} {:>7} {:>2} {:<9} {:>7} {:<22} {}\n", s.channel.ssrc,
                           printable(s.channel.preset.view()), radio::format_number(s.channel.frequency),
                           s.output.samprate, s.output.channels,
                           radio::name_of(radio::encoding_names, static_cast<std::uint64_t>(s.output.encoding)),
                           snr ? fmt::format("{:.1f}", *snr) : "-",
                           s.has(radio::RadioField::output_data_dest_socket) ? os::endpoint_text(s.output.dest) : "-",
                           printable(s.frontend.description.view()));
    }
    return out;
}

Json channels_json(std::vector<const radio::OnAir*> channels) {
    sort_by_place(channels);
    Json out = Json::array();
    for (const radio::OnAir* c : channels) {
        Json one = status_json(c->status);
        one["from"] = os::endpoint_text(c->source);
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace hawser::app
