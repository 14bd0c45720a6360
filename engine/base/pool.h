// SPDX-License-Identifier: MIT
// Packet buffers: equal slots of one slab, taken and given back by reference count, on one thread.
// Whoever holds a reference may read the bytes; whoever took a slot fresh may write them. The last release gives the
// slot back at once. The slab belongs to the caller, who keeps it alive (and hugepage-backed, if it likes).
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/base/strong.h"

namespace hawser {

// A packet: bytes [offset, offset + length) of a slot. Copies of it are not references; Pool::add_ref makes one.
struct PacketRef {
    BufferId buffer = no_buffer;
    std::uint16_t offset = 0;
    std::uint16_t length = 0;
};
static_assert(sizeof(PacketRef) == 8);

// A slot holds a datagram of 1500 bytes and the address header that an io_uring receive puts before it.
inline constexpr std::uint32_t pool_slot_bytes = 2048;
// 16384 slots: half of them for what is kept until it has come (SenderOptions::kept_packets), or held back for what
// comes before it (ReorderHold::ahead_max).
inline constexpr std::uint32_t pool_slots_default = 32u * 1024 * 1024 / pool_slot_bytes;

// A slot that holds any UDP payload, for sockets that join segments: no offset in it exceeds 16 bits.
inline constexpr std::uint32_t joined_slot_bytes = 65536;

class Pool {
public:
    // slab.size() is a multiple of slot_bytes, a power of two; slot_bytes at most joined_slot_bytes.
    Pool(std::span<std::uint8_t> slab, std::uint32_t slot_bytes)
        : slab_(slab.data()),
          slot_shift_(static_cast<std::uint32_t>(std::countr_zero(slot_bytes))),
          slots_(static_cast<std::uint32_t>(slab.size() / slot_bytes)),
          free_count_(slots_),
          references_(std::make_unique<std::uint16_t[]>(slots_)),
          free_(std::make_unique<std::uint32_t[]>(slots_)) {
        HAWSER_CHECK(std::has_single_bit(slot_bytes) && slot_bytes <= joined_slot_bytes);
        HAWSER_CHECK(slab.size() % slot_bytes == 0 && slots_ > 0);
        for (std::uint32_t i = 0; i < slots_; ++i) free_[i] = slots_ - 1 - i;
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // A slot with one reference, or no_buffer when all are in use.
    [[nodiscard]] BufferId take() noexcept {
        if (free_count_ == 0) [[unlikely]]
            return no_buffer;
        const std::uint32_t slot = free_[--free_count_];
        references_[slot] = 1;
        return BufferId(slot);
    }
    // As many slots as free_slots() says at most, each handed to visit(BufferId, its first byte) with one reference.
    template <class Visit>
    void take_each(std::uint32_t count, Visit visit) noexcept {
        HAWSER_CHECK(count <= free_count_);
        std::uint16_t* const references = references_.get();
        const std::uint32_t* const end = free_.get() + free_count_;
        free_count_ -= count;
        for (const std::uint32_t* p = end - count; p != end; ++p) {
            references[*p] = 1;
            visit(BufferId(*p), slab_ + (std::size_t{*p} << slot_shift_));
        }
    }
    void add_ref(BufferId id, std::uint32_t count = 1) noexcept {
        HAWSER_CHECK(id.value < slots_);
        std::uint16_t& references = references_[id.value];
        HAWSER_CHECK(references > 0);
        references = static_cast<std::uint16_t>(references + count);
    }
    [[gnu::always_inline]] void release(BufferId id) noexcept {
        HAWSER_CHECK(id.value < slots_);
        const std::uint16_t left = --references_[id.value];
        if (left == 0) {
            free_[free_count_++] = id.value;
            return;
        }
        HAWSER_CHECK(left != below_none);
    }
    // One reference of each.
    void release_all(std::span<const BufferId> ids) noexcept {
        release_each(ids, [](BufferId id) { return id; });
    }
    void release_all(std::span<const PacketRef> packets) noexcept {
        release_each(packets, [](const PacketRef& packet) { return packet.buffer; });
    }

    [[nodiscard]] std::uint8_t* data(BufferId id) noexcept { return slab_ + (std::size_t{id.value} << slot_shift_); }
    [[nodiscard]] std::uint8_t* data(PacketRef p) noexcept { return data(p.buffer) + p.offset; }
    [[nodiscard]] Bytes bytes(PacketRef p) const noexcept {
        return Bytes(slab_ + (std::size_t{p.buffer.value} << slot_shift_) + p.offset, p.length);
    }
    // The way back from data(PacketRef).
    [[nodiscard]] PacketRef packet_at(const std::uint8_t* data, std::uint16_t length) const noexcept {
        const auto at = static_cast<std::size_t>(data - slab_);
        return {BufferId(static_cast<std::uint32_t>(at >> slot_shift_)),
                static_cast<std::uint16_t>(at & (slot_bytes() - 1)), length};
    }
    [[nodiscard]] MutableBytes slot(BufferId id) noexcept { return MutableBytes(data(id), slot_bytes()); }

    [[nodiscard]] std::uint32_t slot_bytes() const noexcept { return 1u << slot_shift_; }
    [[nodiscard]] std::uint32_t slots() const noexcept { return slots_; }
    [[nodiscard]] std::uint32_t free_slots() const noexcept { return free_count_; }
    [[nodiscard]] std::uint32_t references(BufferId id) const noexcept { return references_[id.value]; }

private:
    static constexpr std::uint16_t below_none = 0xFFFF;  // a count after one release too many

    template <class Item, class BufferOf>
    void release_each(std::span<const Item> items, BufferOf buffer_of) noexcept {
        std::uint16_t* const references = references_.get();
        std::uint32_t* const free = free_.get();
        std::uint32_t free_count = free_count_;
        for (const Item& item : items) {
            const BufferId id = buffer_of(item);
            HAWSER_CHECK(id.value < slots_);
            const std::uint16_t left = --references[id.value];
            HAWSER_CHECK(left != below_none);
            if (left == 0) free[free_count++] = id.value;
        }
        free_count_ = free_count;
    }

    std::uint8_t* slab_;
    std::uint32_t slot_shift_;
    std::uint32_t slots_;
    std::uint32_t free_count_;
    std::unique_ptr<std::uint16_t[]> references_;
    std::unique_ptr<std::uint32_t[]> free_;
};

}  // namespace hawser
