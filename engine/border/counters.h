// SPDX-License-Identifier: MIT
// Every counter of the data plane, one table: enumerator, name, help. Counters only grow; units are in the names.
// Plain numbers, written by the pump's thread alone and copied into its snapshots.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hawser {

enum class Counter : std::uint8_t {
    local_packets_in,
    local_bytes_in,
    local_packets_out,
    uplink_packets_in,
    uplink_bytes_in,
    uplink_packets_out,
    uplink_bytes_out,
    srt_data,
    srt_retransmissions,
    srt_acks,
    srt_ack_copies,
    srt_naks,
    srt_nak_copies,
    srt_nak_sequences,
    srtla_acks_in,
    srtla_acks_out,
    reports_out,
    reports_by_others_out,
    hold_waits,
    hold_given_up,
    hold_late,
    hold_duplicates,
    hold_bounded,
    keepalives_in,
    keepalives_out,
    registrations_in,
    registrations_out,
    registrations_refused,
    sends_deferred,
    sends_too_large,
    sends_failed,
    sends_rerouted,
    server_errors,
    duplicates_sent,
    explorations,
    reports_in,
    reports_by_others_in,
    repairs_sent,
    hedges_sent,
    sent_ahead,
    class_overflows,
    losses_seen,
    losses_belied,
    packets_given_up,
    retransmissions_absorbed,
    nak_sequences_held,
    drop_bad_report,
    drop_short,
    drop_oversize,
    drop_no_uplink,
    drop_rate_cap,
    drop_session_over,
    drop_foreign_caller,
    drop_unknown_source,
    drop_unregistered,
    drop_srtla_on_srt,
    drop_unexpected_type,
    drop_bad_loss_list,
    drop_bad_ack,
    drop_bad_registration,
    drop_bad_destination,
    drop_implausible,
    drop_no_caller,
    drop_no_server,
    drop_no_room,
    count_,
};

inline constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::count_);

struct CounterRow {
    Counter id;
    std::string_view name;
    std::string_view help;
};

inline constexpr std::array<CounterRow, counter_count> counter_table{{
    {Counter::local_packets_in, "local_packets_in", "datagrams from the SRT side"},
    {Counter::local_bytes_in, "local_bytes_in", "their payload bytes"},
    {Counter::local_packets_out, "local_packets_out", "datagrams to the SRT side"},
    {Counter::uplink_packets_in, "uplink_packets_in", "datagrams from uplinks"},
    {Counter::uplink_bytes_in, "uplink_bytes_in", "their payload bytes"},
    {Counter::uplink_packets_out, "uplink_packets_out", "datagrams to uplinks"},
    {Counter::uplink_bytes_out, "uplink_bytes_out", "their payload bytes"},
    {Counter::srt_data, "srt_data", "SRT data packets on their way to the receiver"},
    {Counter::srt_retransmissions, "srt_retransmissions", "of them, marked as sent again by SRT"},
    {Counter::srt_acks, "srt_acks", "SRT ACKs, each once"},
    {Counter::srt_ack_copies, "srt_ack_copies", "further copies of SRT ACKs, not forwarded"},
    {Counter::srt_naks, "srt_naks", "SRT NAKs, each once"},
    {Counter::srt_nak_copies, "srt_nak_copies", "further copies of SRT NAKs, not forwarded"},
    {Counter::srt_nak_sequences, "srt_nak_sequences", "sequences that NAKs asked for"},
    {Counter::srtla_acks_in, "srtla_acks_in", "SRTLA ACK packets received"},
    {Counter::srtla_acks_out, "srtla_acks_out", "SRTLA ACK packets sent"},
    {Counter::reports_out, "reports_out", "delivery reports sent"},
    {Counter::reports_by_others_out, "reports_by_others_out", "copies of them sent by another link, as asked for"},
    {Counter::hold_waits, "hold_waits", "packets held until earlier ones came"},
    {Counter::hold_given_up, "hold_given_up", "sequences that held packets no longer waited for"},
    {Counter::hold_late, "hold_late", "of them, came after all, and passed"},
    {Counter::hold_duplicates, "hold_duplicates", "SRT packets that had come before, not forwarded"},
    {Counter::hold_bounded, "hold_bounded", "gaps given up early: too many packets ahead or held, too few buffers"},
    {Counter::keepalives_in, "keepalives_in", "keepalives received"},
    {Counter::keepalives_out, "keepalives_out", "keepalives sent"},
    {Counter::registrations_in, "registrations_in", "registration packets received"},
    {Counter::registrations_out, "registrations_out", "registration packets sent"},
    {Counter::registrations_refused, "registrations_refused", "registrations refused, by us or by the peer"},
    {Counter::sends_deferred, "sends_deferred", "sends that a full socket buffer refused"},
    {Counter::sends_too_large, "sends_too_large", "sends refused as too large for the link"},
    {Counter::sends_failed, "sends_failed", "sends refused for any other reason"},
    {Counter::sends_rerouted, "sends_rerouted", "refused sends that another uplink took"},
    {Counter::server_errors, "server_errors", "errors of sockets towards the SRT server (refused, unreachable)"},
    {Counter::duplicates_sent, "duplicates_sent", "copies sent on a second uplink on purpose"},
    {Counter::explorations, "explorations", "packets sent on another than the best uplink to learn"},
    {Counter::reports_in, "reports_in", "delivery reports received"},
    {Counter::reports_by_others_in, "reports_by_others_in", "of those, by another link than they speak of"},
    {Counter::repairs_sent, "repairs_sent", "adaptive: packets sent again since their uplink lost them"},
    {Counter::hedges_sent, "hedges_sent", "adaptive: second copies of packets whose fate was open"},
    {Counter::sent_ahead, "sent_ahead",
     "adaptive: packets sent on a silent uplink, though others were to carry them, too"},
    {Counter::class_overflows, "class_overflows",
     "packets that a later class of uplinks carried, since those before it had no room"},
    {Counter::losses_seen, "losses_seen", "adaptive: copies that uplinks lost"},
    {Counter::losses_belied, "losses_belied", "adaptive: of them, that came after all"},
    {Counter::packets_given_up, "packets_given_up", "adaptive: packets that no uplink could have brought in time"},
    {Counter::retransmissions_absorbed, "retransmissions_absorbed",
     "adaptive: packets that SRT sent again without need, not forwarded"},
    {Counter::nak_sequences_held, "nak_sequences_held",
     "adaptive: sequences taken out of NAKs, being repaired or hopeless"},
    {Counter::drop_bad_report, "drop_bad_report", "dropped: malformed delivery report, or one that was not asked for"},
    {Counter::drop_short, "drop_short", "dropped: shorter than its header"},
    {Counter::drop_oversize, "drop_oversize", "dropped: longer than 1500 bytes"},
    {Counter::drop_no_uplink, "drop_no_uplink", "dropped: no uplink could take it"},
    {Counter::drop_rate_cap, "drop_rate_cap", "dropped: waited too long for an uplink that is at its rate cap"},
    {Counter::drop_session_over, "drop_session_over", "dropped: still waited when its SRT session was over"},
    {Counter::drop_foreign_caller, "drop_foreign_caller", "dropped: a second SRT caller"},
    {Counter::drop_unknown_source, "drop_unknown_source", "dropped: from an address that is not registered"},
    {Counter::drop_unregistered, "drop_unregistered", "dropped: on an uplink that is not registered"},
    {Counter::drop_srtla_on_srt, "drop_srtla_on_srt", "dropped: an SRTLA type where SRT is expected"},
    {Counter::drop_unexpected_type, "drop_unexpected_type", "dropped: an unknown type, or in the wrong direction"},
    {Counter::drop_bad_loss_list, "drop_bad_loss_list", "dropped: NAK with a malformed or impossible list"},
    {Counter::drop_bad_ack, "drop_bad_ack", "dropped: ACK that is malformed or names what was never sent"},
    {Counter::drop_bad_registration, "drop_bad_registration", "dropped: malformed or unsolicited registration"},
    {Counter::drop_bad_destination, "drop_bad_destination", "dropped: SRT socket id of another session"},
    {Counter::drop_implausible, "drop_implausible", "dropped: a sequence far outside the session's window"},
    {Counter::drop_no_caller, "drop_no_caller", "dropped: no SRT caller to forward to"},
    {Counter::drop_no_server, "drop_no_server", "dropped: no socket towards the SRT server"},
    {Counter::drop_no_room, "drop_no_room", "dropped: a bound of ours was reached (buffers, actions)"},
}};

namespace detail {
constexpr bool counters_in_order() {
    for (std::size_t i = 0; i < counter_count; ++i)
        if (static_cast<std::size_t>(counter_table[i].id) != i) return false;
    return true;
}
}  // namespace detail
static_assert(detail::counters_in_order(), "row i describes counter i");

class Counters {
public:
    void add(Counter id, std::uint64_t n = 1) noexcept { values_[static_cast<std::size_t>(id)] += n; }
    [[nodiscard]] std::uint64_t operator[](Counter id) const noexcept { return values_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const std::array<std::uint64_t, counter_count>& all() const noexcept { return values_; }

private:
    std::array<std::uint64_t, counter_count> values_{};
};

}  // namespace hawser
