// SPDX-License-Identifier: MIT
#include "platform/app/flight/capture_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/border/counters.h"
#include "engine/border/selection.h"
#include "engine/wire/srt.h"
#include "engine/wire/srtla.h"

namespace hawser::app {

namespace {

constexpr std::string_view application_name = "hawser ";
constexpr std::string_view of_sender = "What became of the last packets of hawser send.";
constexpr std::string_view of_receiver = "What became of the last packets of hawser recv.";
constexpr std::string_view about_headers = " IP and UDP headers are made up from what is known of the ends.";
constexpr std::string_view caller = "the SRT caller, latency ";
constexpr std::string_view caller_unit = " ms";
constexpr std::string_view uplink = "uplink ";
constexpr std::string_view after_way = "; ";

bool begins_with(std::string_view text, std::string_view beginning) {
    return text.substr(0, beginning.size()) == beginning;
}

// The number that SRT gave a data packet, or what an ACK of SRTLA's names.
std::string what_it_is(const FlightRecord& r) {
    const Bytes head = r.head_kept();
    if (const auto srt = wire::SrtPacket::over(head); srt && srt->is_data())
        return fmt::format(", seq {}{}", srt->sequence().raw(), srt->is_retransmission() ? ", sent again by SRT" : "");
    const auto type = wire::packet_type(head);
    if (!type || *type != static_cast<std::uint16_t>(wire::SrtlaType::ack)) return {};
    const auto ack = wire::SrtlaAck::over(head.first(head.size() / 4 * 4));
    if (!ack) return {};
    std::string out = " of";
    for (std::size_t i = 0; i < ack->count(); ++i) out += fmt::format(" {}", ack->word(i));
    return out;
}

std::string why(const FlightRecord& r) {
    switch (r.decision) {
        case Decision::sent:
        case Decision::repaired:
        case Decision::copied:
        case Decision::sent_ahead: {
            const auto mode = static_cast<select::Mode>(std::min<std::size_t>(r.mode, select::mode_names.size() - 1));
            std::string out = fmt::format("; {}", select::name_of(mode));
            if (r.detail != 0) out += fmt::format(": there in {:.1f} ms", static_cast<double>(r.detail) / 1e6);
            return out + fmt::format("; {} in flight", r.number);
        }
        case Decision::nak_thinned:
        case Decision::nak_withheld: return fmt::format(": {} sequences taken out", r.number);
        case Decision::send_refused:
        case Decision::local_refused: return fmt::format(": {}", std::strerror(static_cast<int>(r.detail)));
        case Decision::too_late:
        case Decision::too_large:
            return r.number == 0 ? std::string() : fmt::format("; sent {} times before", r.number);
        case Decision::uplink_dropped:
        case Decision::local_dropped: {
            if (r.detail >= counter_count) return {};
            std::string_view help = counter_table[r.detail].help;
            constexpr std::string_view beginning = "dropped: ";
            if (help.substr(0, beginning.size()) == beginning) help.remove_prefix(beginning.size());
            return fmt::format(": {} ({})", help, counter_table[r.detail].name);
        }
        default: break;  // the decision says it all
    }
    return {};
}

std::string left_out(const FlightRecord& r, bool is_sender) {
    const bool is_strangers =
        is_of_stranger(r, is_sender) || (is_sender && r.decision == Decision::local_dropped && r.link == no_link);
    return is_strangers && r.number != 0 ? fmt::format("; {} of strangers left out before it", r.number)
                                         : std::string();
}

}  // namespace

bool is_of_stranger(const FlightRecord& r, bool is_sender) {
    return !is_sender && row_of(r.decision).is_uplink && r.link == no_link;
}

std::string flight_comment(const FlightRecord& r, const std::string& way, bool is_sender) {
    const DecisionRow& row = row_of(r.decision);
    return fmt::format("{}{}{}{}{}{}{}", is_sender && row.is_uplink ? uplink : "", way, after_way, row.text,
                       what_it_is(r), why(r), left_out(r, is_sender));
}

std::optional<Decision> decision_in(std::string_view comment, std::string_view way) {
    const bool is_uplink = begins_with(comment, uplink) && begins_with(comment.substr(uplink.size()), way) &&
                           begins_with(comment.substr(uplink.size() + way.size()), after_way);
    if (is_uplink) comment.remove_prefix(uplink.size());
    if (!begins_with(comment, way) || !begins_with(comment.substr(way.size()), after_way)) return std::nullopt;
    comment.remove_prefix(way.size() + after_way.size());
    // One decision's words may begin another's: the longest that fit are its.
    const DecisionRow* found = nullptr;
    for (const DecisionRow& row : decision_table)
        if (row.is_uplink == is_uplink && begins_with(comment, row.text) &&
            (found == nullptr || row.text.size() > found->text.size()))
            found = &row;
    if (found == nullptr) return std::nullopt;
    return found->id;
}

std::string capture_application() { return std::string(application_name) + HAWSER_VERSION; }
bool is_application(std::string_view application) { return begins_with(application, application_name); }

std::string capture_comment(bool is_sender) {
    return std::string(is_sender ? of_sender : of_receiver) + std::string(about_headers);
}
std::optional<bool> is_of_sender(std::string_view comment) {
    if (begins_with(comment, of_sender)) return true;
    if (begins_with(comment, of_receiver)) return false;
    return std::nullopt;
}

std::string caller_description(Duration latency) { return fmt::format("{}{}{}", caller, latency.ms(), caller_unit); }
std::optional<Duration> latency_in(std::string_view text) {
    constexpr std::int64_t latency_max_ms = 600'000;
    if (!begins_with(text, caller)) return std::nullopt;
    text.remove_prefix(caller.size());
    std::int64_t ms = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    const auto left = text.substr(static_cast<std::size_t>(rest - text.data()));
    if (error != std::errc() || left != caller_unit || ms <= 0 || ms > latency_max_ms) return std::nullopt;
    return Duration{ms * 1'000'000};
}

}  // namespace hawser::app
