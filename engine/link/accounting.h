// SPDX-License-Identifier: MIT
// Which link holds which SRT sequence, and what the answers mean for each link's in-flight count and window.
// All links together, since one answer concerns several of them.
//
// The arithmetic is that of the reference (BELABOX/srtla 37862da): on any trace without a sequence wrap, a new SRT
// session or a duplicate NAK, in-flight counts, windows and attributions are equal to its own after every step. That
// includes its quirks: a log of 256 of which 255 are visible, an in-flight count that a NAK leaves alone and only an
// SRT ACK recounts, and growth of every link heard from, whoever carried the packet. Where this differs on purpose, a
// test says so.
//
// Nothing here scans a log on the path: a sequence's low bits name a chain of the slots that hold it. Bounds: 255
// visible packets per link, links_max links. Pump thread only; about 200 KB, so not for a stack.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/link_load.h"
#include "engine/base/strong.h"
#include "engine/base/time.h"
#include "engine/wire/seq.h"
#include "engine/wire/srtla.h"

namespace hawser::link {

using hawser::window_max;
using hawser::window_unit;

// In window units. Source: BELABOX/srtla 37862da.
inline constexpr std::int32_t window_min = 1 * window_unit;
inline constexpr std::int32_t window_default = 20 * window_unit;
inline constexpr std::int32_t window_loss_step = 100;
inline constexpr std::int32_t window_growth_step = 30;

// Packets that a link's log has slots for; the oldest is out of sight as soon as all slots were written.
// Source: BELABOX/srtla 37862da.
inline constexpr std::size_t log_slots = 256;
inline constexpr std::size_t log_visible = log_slots - 1;

using hawser::LinkMask;
using hawser::mask_of;

class Accounting {
public:
    Accounting() noexcept;
    Accounting(const Accounting&) = delete;
    Accounting& operator=(const Accounting&) = delete;

    // A new link: window 20000, nothing in flight, empty log. Links are tried, and win ties, last added first.
    void add(LinkId link) noexcept;
    void remove(LinkId link) noexcept;
    // Gone silent: window 1000, nothing in flight, log emptied.
    void fail(LinkId link) noexcept;
    // Back after a failure, as if new: window 20000, nothing in flight, empty log (irlserver/srtla_send 86b90aa makes a
    // new link then; the reference goes on from 1000).
    void restart(LinkId link) noexcept;

    // An SRT data packet left on that link.
    void note_sent(LinkId link, wire::Seq31 sequence, Instant now) noexcept { log(link, sequence.raw(), now); }
    // A second copy of a packet, sent to try that link: its SRTLA ACK counts, but a NAK never names it.
    void note_probe(LinkId link, wire::Seq31 sequence, Instant now) noexcept {
        log(link, sequence.raw() | probe_bit, now);
    }
    // The kernel refused the packet after all: its newest entry on that link is taken back, as if never sent. (The
    // reference logs a packet once the kernel has it; a batch learns of a refusal only afterwards.)
    void note_unsent(LinkId link, wire::Seq31 sequence) noexcept;

    // Every copy: frees what lies before `next_expected` and recounts what all links have in flight. The links that
    // got proof of delivery, which is none unless set_srtla_acks_absent.
    LinkMask on_srt_ack(wire::Seq31 next_expected, Instant now) noexcept;

    struct Loss {
        LinkId link = no_link;  // no_link: nobody holds the sequence
        Instant sent_at;
    };
    // One sequence of a NAK (the caller removes duplicate NAKs): the holder's window shrinks and its slot is freed;
    // in flight stays as it is until the next SRT ACK.
    Loss on_lost(wire::Seq31 sequence, Instant now) noexcept;
    // The link that on_lost would charge now, and when it sent; changes nothing.
    [[nodiscard]] Loss holder(wire::Seq31 sequence) const noexcept;
    // The link that holds the sequence since the longest time, and the same for it: on_lost by time of sending, where
    // the reference goes by order of links.
    [[nodiscard]] Loss first_holder(wire::Seq31 sequence) const noexcept;
    void charge_first_holder(wire::Seq31 sequence) noexcept;

    // One SRTLA ACK packet that arrived on `arrival`; `alive`: links heard from, which all grow by 1 per sequence.
    // The links that got proof of delivery.
    LinkMask on_srtla_ack(const wire::SrtlaAck& ack, LinkId arrival, LinkMask alive, Instant now) noexcept;

    // A new SRT connection: forgets all sequences, in flight 0; windows stay.
    void new_session() noexcept;
    // The receiver sends no SRTLA ACKs (e04/go-srtla 580be7f): an SRT ACK then counts as an SRTLA ACK of each logged
    // sequence that it newly covers, so that windows grow again after losses.
    void set_srtla_acks_absent(bool absent) noexcept { srtla_acks_absent_ = absent; }
    // True: an SRTLA ACK is matched on the link it came by before the others, so that a probe's ACK proves the probed
    // link (irlserver/srtla_send 86b90aa). False, the default: list order only, as the reference. The selector sets it
    // by its mode.
    void set_arrival_first(bool first) noexcept { load_.arrival_first = first; }

    // Growth that no ACK caused: the selector's recovery after losses. Clamped to window_max.
    void grow(LinkId link, std::int32_t amount) noexcept;

    [[nodiscard]] std::int32_t in_flight(LinkId link) const noexcept {
        return load_.in_flight[link.index()];
    }  // packets
    [[nodiscard]] std::int32_t window(LinkId link) const noexcept {
        return load_.window[link.index()];
    }  // window units
    [[nodiscard]] LinkMask links() const noexcept { return known_; }

    // What the selector sweeps.
    operator LinkLoad&() noexcept { return load_; }
    [[nodiscard]] const LinkLoad& load() const noexcept { return load_; }

    // Audit: recomputes every count and walks every chain.
    [[nodiscard]] bool is_consistent() const noexcept;

private:
    using SlotId = std::uint16_t;
    static constexpr std::size_t slot_count = links_max * log_slots;
    static constexpr SlotId nobody = 0xFFFF;    // end of a chain
    static constexpr SlotId unlinked = 0xFFFE;  // in `previous`: the slot is empty
    static_assert(slot_count < unlinked);
    // More than libsrt's default flow window of 25600 packets, so that chains are short; longer spans only lengthen
    // them.
    static constexpr std::size_t index_size = 32768;
    static constexpr std::uint32_t probe_bit = 0x8000'0000;
    // How far above low_ a sequence may lie before an SRT ACK looks at every slot instead of every sequence.
    static constexpr std::int32_t reach = std::int32_t{1} << 29;

    struct Slot {
        std::uint32_t sequence = 0;  // 31 bits, and probe_bit
        SlotId next = nobody;        // older slot in the same chain
        SlotId previous = unlinked;
        Instant sent_at;
    };
    static_assert(sizeof(Slot) == 16);

    [[nodiscard]] static std::size_t chain_of(std::uint32_t sequence) { return sequence & (index_size - 1); }
    [[nodiscard]] static std::size_t link_of(SlotId slot) { return slot / log_slots; }
    // The next slot of the same link's log.
    [[nodiscard]] static SlotId slot_after(SlotId slot) {
        return static_cast<SlotId>((slot & ~(log_slots - 1)) | ((slot + 1) & (log_slots - 1)));
    }
    [[nodiscard]] bool is_known(LinkId link) const { return link.index() < links_max && (known_ & mask_of(link)) != 0; }

    void log(LinkId link, std::uint32_t sequence, Instant now) noexcept;
    [[gnu::noinline]] void note_outside(wire::Seq31 sequence) noexcept;
    [[gnu::noinline]] void unlink(SlotId slot) noexcept;  // rare where it matters
    void empty_log(std::size_t link) noexcept;
    [[nodiscard]] SlotId find(std::uint32_t sequence, std::uint32_t significant, std::size_t preferred) const noexcept;
    [[nodiscard]] SlotId find_oldest(std::uint32_t sequence) const noexcept;
    [[nodiscard]] Loss loss_of(SlotId slot) const noexcept;
    Loss charge(SlotId slot) noexcept;
    bool free_alone(SlotId first, std::uint32_t sequence) noexcept;
    SlotId take(std::uint32_t sequence, std::size_t preferred) noexcept;
    void credit(std::size_t link, std::int32_t owed) noexcept;
    void grow_all(LinkMask alive, std::int32_t steps) noexcept;

    struct Covering {
        LinkMask proof = 0;
        std::int32_t steps = 0;
    };
    void cover(std::uint32_t sequence, Covering& covering) noexcept;
    void cover_range(wire::Seq31 next_expected, std::int32_t count, Covering& covering) noexcept;
    void cover_by_slots(wire::Seq31 next_expected, Covering& covering) noexcept;

    LinkLoad load_;
    alignas(cache_line_bytes) std::array<std::int32_t, links_max> live_{};  // slots in use

    std::array<SlotId, links_max> cursor_;          // next slot to write
    std::array<std::uint32_t, links_max> order_{};  // greater is tried first
    std::uint32_t added_ = 0;
    LinkMask known_ = 0;
    LinkMask delivering_ = 0;  // without SRTLA ACKs: links that delivered since they were added or failed
    std::size_t groups_ = 0;   // of four links, that cover all known ones

    // Every logged sequence s has 0 <= distance(low_, s) < reach + lowered_, unless scattered_.
    wire::Seq31 low_;
    std::int32_t lowered_ = 0;
    bool scattered_ = false;
    bool srtla_acks_absent_ = false;

    std::array<SlotId, index_size> heads_;
    std::array<Slot, slot_count> slots_{};
};

// In the header: it runs for each data packet, and a call costs as much as a part of it.
[[gnu::always_inline]] inline void Accounting::log(LinkId link, std::uint32_t sequence, Instant now) noexcept {
    HAWSER_CHECK(link.index() < links_max);
    const std::size_t i = link.index();
    const SlotId slot = cursor_[i];
    const SlotId next_slot = slot_after(slot);
    cursor_[i] = next_slot;
    // The slot to be written next is out of sight already.
    if (slots_[next_slot].previous != unlinked) [[unlikely]]
        unlink(next_slot);

    SlotId& head = heads_[chain_of(sequence)];
    const SlotId older = head;
    head = slot;
    slots_[slot] = Slot{sequence, older, nobody, now};
    if (older != nobody) [[unlikely]]
        slots_[older].previous = slot;
    ++live_[i];
    std::int32_t& in_flight = load_.in_flight[i];
    if (in_flight != std::numeric_limits<std::int32_t>::max()) [[likely]]
        ++in_flight;
    // The plain form of distance(low_, sequence) >= reach || distance(low_, sequence) < 0.
    if (((sequence - low_.raw()) & wire::Seq31::mask) >= std::uint32_t{reach}) [[unlikely]]
        note_outside(wire::Seq31(sequence));
    HAWSER_VERIFY(is_consistent());
}

}  // namespace hawser::link
