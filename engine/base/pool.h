// SPDX-License-Identifier: MIT
// Packet buffers: equal slots of one slab, taken and given back by reference count, on one thread.
// Whoever holds a reference may read the bytes; whoever took a slot fresh may write them. The last release gives the
// slot back at once. The slab belongs to the caller, who keeps it alive (and hugepage-backed, if it likes).
#pragma once

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
// 8192 slots: at 1000 packets/s, seconds of history to send again from.
inline constexpr std::uint32_t pool_slots_default = 16u * 1024 * 1024 / pool_slot_bytes;

class Pool {
public:
    // slab.size() is a multiple of slot_bytes, a power of two; slot_bytes at most 65536 so that offsets fit.
    Pool(std::span<std::uint8_t> slab, std::uint32_t slot_bytes)
        : slab_(slab.data()),
          slot_bytes_(slot_bytes),
          slots_(static_cast<std::uint32_t>(slab.size() / slot_bytes)),
          free_count_(slots_),
          references_(std::make_unique<std::uint16_t[]>(slots_)),
          free_(std::make_unique<std::uint32_t[]>(slots_)) {
        HAWSER_CHECK(slot_bytes != 0 && (slot_bytes & (slot_bytes - 1)) == 0 && slot_bytes <= 65536);
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
    void add_ref(BufferId id) noexcept {
        HAWSER_CHECK(id.value < slots_ && references_[id.value] > 0);
        ++references_[id.value];
    }
    void release(BufferId id) noexcept {
        HAWSER_CHECK(id.value < slots_);
        const std::uint16_t count = references_[id.value];
        HAWSER_CHECK(count > 0);
        references_[id.value] = static_cast<std::uint16_t>(count - 1);
        if (count == 1) free_[free_count_++] = id.value;
    }

    [[nodiscard]] std::uint8_t* data(BufferId id) noexcept { return slab_ + std::size_t{id.value} * slot_bytes_; }
    [[nodiscard]] Bytes bytes(PacketRef p) const noexcept {
        return Bytes(slab_ + std::size_t{p.buffer.value} * slot_bytes_ + p.offset, p.length);
    }
    [[nodiscard]] MutableBytes slot(BufferId id) noexcept { return MutableBytes(data(id), slot_bytes_); }

    [[nodiscard]] std::uint32_t slot_bytes() const noexcept { return slot_bytes_; }
    [[nodiscard]] std::uint32_t slots() const noexcept { return slots_; }
    [[nodiscard]] std::uint32_t free_slots() const noexcept { return free_count_; }
    [[nodiscard]] std::uint32_t references(BufferId id) const noexcept { return references_[id.value]; }

private:
    std::uint8_t* slab_;
    std::uint32_t slot_bytes_;
    std::uint32_t slots_;
    std::uint32_t free_count_;
    std::unique_ptr<std::uint16_t[]> references_;
    std::unique_ptr<std::uint32_t[]> free_;
};

}  // namespace hawser
