// SPDX-License-Identifier: MIT
// What became of the last packets, one record each, for an operator who asks "what happened just now". The pump's
// thread writes with plain stores into memory that was there before it started; the oldest record gives its place.
//
// Law: one thread at a time. The control thread reads only while the recorder is held: it sends `hold_recorder`, sees
// PumpSnapshot::recorder_held, copies, and sends `resume_recorder`. Both ways lead through the border, which orders the
// threads' accesses; so a record costs no atomic and no fence. What happens while it is held is not recorded: some
// milliseconds, since only a copy is taken.
// Left out by whoever notes a packet (bond/recording.h): payload, unless asked for, and whatever else is secret.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

#include "engine/base/bytes.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"

namespace hawser {

// In the sender `number` and `detail` are as said; in the receiver `number` is the group. Of a stranger's packet (an
// uplink's without a link, or one to the sender's SRT side) `number` is how many before it were left out.
enum class Decision : std::uint8_t {
    // To an uplink.
    sent,              // data, by the selector's choice. number: packets in flight on it, this one included.
                       // detail: ns until it should arrive; 0: the selector knows nothing of that
    repaired,          // data again, since its uplink lost it; as `sent`
    copied,            // data beside a copy whose fate is open; as `sent`
    sent_ahead,        // data to a silent uplink that may only hold it, before its turn on the others; as `sent`
    probed,            // a copy to an uplink that the selector keeps data off
    rerouted,          // what another uplink refused
    passed,            // SRT's own packet
    registration_out,  // SRTLA's own packets, to:
    keepalive_out,
    ack_out,
    report_out,
    report_by_another,  // a report of what another uplink brought
    send_refused,       // the kernel did not take it. detail: errno
    // From an uplink.
    delivered,        // passed on to the SRT side
    copy_suppressed,  // another uplink has brought the same
    nak_thinned,      // passed on without what needs no answer. number: sequences taken out
    nak_withheld,     // nothing of it needs one; as before
    held,             // waits for earlier ones
    duplicate,        // its sequence has come before
    registration_in,  // SRTLA's own packets, from:
    keepalive_in,
    ack_in,
    report_in,
    uplink_dropped,  // detail: the Counter that says why
    // To the SRT side.
    released,       // was held
    local_refused,  // the kernel did not take it, or the SRT side does not listen. detail: errno
    // From the SRT side.
    absorbed,       // SRT sent it again without need
    waits_for_cap,  // every uplink is at its rate cap
    too_late,       // no uplink can bring it in time. number: how often it has been sent
    too_large,      // refused for its size, and no other uplink is known to carry it; as before
    overtaken,      // never sent, and the receiver waits for it no more
    displaced,      // never sent, and its place was needed
    session_over,   // never sent, and its session is over
    local_dropped,  // detail: the Counter that says why
    count_,
};

struct DecisionRow {
    Decision id;
    bool is_uplink;    // else of the SRT side
    bool is_outbound;  // sent by us
    std::string_view text;
};

inline constexpr std::array<DecisionRow, static_cast<std::size_t>(Decision::count_)> decision_table{{
    {Decision::sent, true, true, "sent first"},
    {Decision::repaired, true, true, "sent again, as its uplink lost it"},
    {Decision::copied, true, true, "copy beside one whose fate is open"},
    {Decision::sent_ahead, true, true, "sent ahead into a silence"},
    {Decision::probed, true, true, "copy to probe an uplink that carries no data now"},
    {Decision::rerouted, true, true, "sent here as another uplink refused it"},
    {Decision::passed, true, true, "passed on from the SRT side"},
    {Decision::registration_out, true, true, "registration sent"},
    {Decision::keepalive_out, true, true, "keepalive sent"},
    {Decision::ack_out, true, true, "SRTLA ACK sent"},
    {Decision::report_out, true, true, "delivery report sent"},
    {Decision::report_by_another, true, true, "delivery report of another uplink sent"},
    {Decision::send_refused, true, true, "refused by the kernel"},
    {Decision::delivered, true, false, "passed on to the SRT side"},
    {Decision::copy_suppressed, true, false, "copy, not passed on: another uplink brought it before"},
    {Decision::nak_thinned, true, false, "NAK passed on in part"},
    {Decision::nak_withheld, true, false, "NAK held back"},
    {Decision::held, true, false, "held until earlier ones come"},
    {Decision::duplicate, true, false, "duplicate, not passed on"},
    {Decision::registration_in, true, false, "registration received"},
    {Decision::keepalive_in, true, false, "keepalive received"},
    {Decision::ack_in, true, false, "SRTLA ACK received"},
    {Decision::report_in, true, false, "delivery report received"},
    {Decision::uplink_dropped, true, false, "dropped"},
    {Decision::released, false, true, "passed on after it was held"},
    {Decision::local_refused, false, true, "refused by the socket to the SRT side"},
    {Decision::absorbed, false, false, "sent again by SRT without need, not passed on"},
    {Decision::waits_for_cap, false, false, "waits for an uplink at its rate cap"},
    {Decision::too_late, false, false, "given up: no uplink brings it in time"},
    {Decision::too_large, false, false, "given up: too large for every uplink"},
    {Decision::overtaken, false, false, "given up unsent: the receiver waits for it no more"},
    {Decision::displaced, false, false, "given up unsent: its place was needed"},
    {Decision::session_over, false, false, "dropped unsent: its session is over"},
    {Decision::local_dropped, false, false, "dropped"},
}};

[[nodiscard]] constexpr const DecisionRow& row_of(Decision d) { return decision_table[static_cast<std::size_t>(d)]; }

namespace detail {
constexpr bool decisions_in_order() {
    for (std::size_t i = 0; i < decision_table.size(); ++i)
        if (static_cast<std::size_t>(decision_table[i].id) != i) return false;
    return true;
}
}  // namespace detail
static_assert(detail::decisions_in_order(), "row i describes decision i");

// A decision with what is to be known of it: what handlers of packets answer.
struct Fate {
    Decision decision = Decision::delivered;
    std::uint16_t number = 0;
    std::uint32_t detail = 0;
};

struct alignas(cache_line_bytes) FlightRecord {
    // A full SRT ACK, an SRTLA ACK of ten entries.
    static constexpr std::size_t head_bytes_max = 44;
    static constexpr std::uint8_t payload_flag = 0x80;

    Instant at;
    Decision decision;
    std::uint8_t mode;  // the sender's select::Mode then
    LinkId link;
    std::uint8_t kept;     // bytes of `head`; with payload_flag, more of the packet is behind the record
    std::uint16_t length;  // of the UDP payload, whole
    std::uint16_t number;
    std::uint32_t detail;
    std::array<std::uint8_t, head_bytes_max> head;  // the packet's first bytes

    [[nodiscard]] Bytes head_kept() const noexcept { return Bytes(head).first(kept & ~payload_flag & 0xFFu); }
};
static_assert(sizeof(FlightRecord) == cache_line_bytes && std::is_trivially_copyable_v<FlightRecord>);

class FlightRecorder {
public:
    // One record's place: behind it are the bytes of payload that are kept of a data packet.
    [[nodiscard]] static constexpr std::size_t stride(std::size_t payload_bytes) {
        return sizeof(FlightRecord) + (payload_bytes + cache_line_bytes - 1) / cache_line_bytes * cache_line_bytes;
    }

    // Before the pump starts. The memory is aligned to a cache line and outlives the recorder; it holds whole places.
    // Without this nothing is recorded.
    void attach(std::span<std::uint8_t> memory, std::size_t payload_bytes) noexcept {
        payload_bytes_ = payload_bytes;
        stride_ = stride(payload_bytes);
        begin_ = next_ = memory.data();
        end_ = begin_ + memory.size() / stride_ * stride_;
        if (begin_ == end_) next_ = nullptr;
    }
    void set_mode(std::uint8_t mode) noexcept { mode_ = mode; }

    [[nodiscard]] bool is_on() const noexcept { return next_ != nullptr; }

    // A data packet, of which the first `Head` bytes are there. Part of the path of each packet.
    template <std::size_t Head>
    [[gnu::always_inline]] void note_data(Fate fate, LinkId link, Bytes packet, Instant now) noexcept {
        static_assert(Head <= FlightRecord::head_bytes_max);
        if (next_ == nullptr) return;
        FlightRecord& r = begin_record(fate, link, packet, Head | FlightRecord::payload_flag, now);
        std::memcpy(r.head.data(), packet.data(), Head);
        if (payload_bytes_ != 0) [[unlikely]]
            keep_payload(packet, Head);
        step();
    }
    // Any packet, of which so many bytes may be kept. Only while is_on().
    [[gnu::noinline]] void note(Fate fate, LinkId link, Bytes packet, std::size_t head_bytes, Instant now) noexcept {
        const std::size_t kept = std::min({head_bytes, packet.size(), FlightRecord::head_bytes_max});
        FlightRecord& r = begin_record(fate, link, packet, kept, now);
        std::memcpy(r.head.data(), packet.data(), kept);
        step();
    }

    void hold() noexcept {
        if (next_ != nullptr) held_at_ = next_;
        next_ = nullptr;
    }
    void resume() noexcept {
        if (held_at_ != nullptr) next_ = held_at_;
        held_at_ = nullptr;
    }
    [[nodiscard]] bool is_held() const noexcept { return held_at_ != nullptr; }

    // Only while held, or when the pump has ended: each record from the oldest on, with the payload behind its head.
    template <class Visit>
    void each(Visit&& visit) const {
        const std::uint8_t* const now_at = held_at_ != nullptr ? held_at_ : next_;
        if (now_at == nullptr) return;
        if (is_full_) visit_range(now_at, end_, visit);
        visit_range(begin_, now_at, visit);
    }
    [[nodiscard]] std::size_t payload_bytes() const noexcept { return payload_bytes_; }
    // How many records there are at most.
    [[nodiscard]] std::size_t capacity() const noexcept {
        return begin_ == nullptr ? 0 : static_cast<std::size_t>(end_ - begin_) / stride_;
    }

private:
    [[gnu::always_inline]] FlightRecord& begin_record(Fate fate, LinkId link, Bytes packet, std::size_t kept,
                                                      Instant now) noexcept {
        FlightRecord& r = *::new (static_cast<void*>(next_)) FlightRecord;
        r.at = now;
        r.decision = fate.decision;
        r.mode = mode_;
        r.link = link;
        r.kept = static_cast<std::uint8_t>(kept);
        r.length = static_cast<std::uint16_t>(packet.size());
        r.number = fate.number;
        r.detail = fate.detail;
        return r;
    }
    [[gnu::always_inline]] void step() noexcept {
        next_ += stride_;
        if (next_ == end_) [[unlikely]] {
            next_ = begin_;
            is_full_ = true;
        }
    }
    [[gnu::noinline]] void keep_payload(Bytes packet, std::size_t head) noexcept {
        const Bytes rest = packet.subspan(head);
        std::memcpy(next_ + sizeof(FlightRecord), rest.data(), std::min(rest.size(), payload_bytes_));
    }
    template <class Visit>
    void visit_range(const std::uint8_t* from, const std::uint8_t* to, Visit& visit) const {
        for (; from != to; from += stride_) {
            const FlightRecord& r = *std::launder(reinterpret_cast<const FlightRecord*>(from));
            const bool has_payload = (r.kept & FlightRecord::payload_flag) != 0;
            const std::size_t rest = has_payload ? r.length - r.head_kept().size() : 0;
            const std::size_t payload = std::min(rest, payload_bytes_);
            visit(r, Bytes(from + sizeof(FlightRecord), payload));
        }
    }

    std::uint8_t* next_ = nullptr;  // null: off, or held
    std::uint8_t* end_ = nullptr;
    std::size_t stride_ = sizeof(FlightRecord);
    std::size_t payload_bytes_ = 0;
    std::uint8_t* begin_ = nullptr;
    std::uint8_t* held_at_ = nullptr;
    std::uint8_t mode_ = 0;
    bool is_full_ = false;
};

}  // namespace hawser
