// SPDX-License-Identifier: MIT
// Where both models gather the completions of a turn: two lists, one that the pump is reading and one that fills.
// take() swaps them, so that what happens while the pump works (an early flush) waits for the next turn.
// Bounded: room() says what still fits, and the models ask before they start what they could not report.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "engine/base/check.h"
#include "engine/pump/io.h"

namespace hawser::os {

// What the received completions of a socket have in common, ready to be copied as one word.
class ReceivedHead {
public:
    ReceivedHead(SocketId socket, std::uint32_t tag) noexcept
        : word_(std::bit_cast<std::uint64_t>(Fields{Completion::Kind::received, 0, socket, tag})) {}
    void write(Completion& c) const noexcept { std::memcpy(static_cast<void*>(&c), &word_, sizeof word_); }

private:
    struct Fields {
        Completion::Kind kind;
        std::uint8_t reserved;
        SocketId socket;
        std::uint32_t tag;
    };
    static_assert(offsetof(Completion, kind) == offsetof(Fields, kind));
    static_assert(offsetof(Completion, socket) == offsetof(Fields, socket));
    static_assert(offsetof(Completion, tag) == offsetof(Fields, tag));
    static_assert(offsetof(Completion, packet) == sizeof(Fields));
    std::uint64_t word_;
};

class Completions {
public:
    explicit Completions(std::uint32_t capacity)
        : capacity_(capacity),
          filling_(std::make_unique<Completion[]>(capacity)),
          reading_(std::make_unique<Completion[]>(capacity)) {}

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint32_t room() const noexcept { return capacity_ - count_; }

    // The next one. Every field but `from` and `error` is the caller's to write; these two hold old values.
    [[nodiscard]] Completion& append() noexcept {
        HAWSER_CHECK(count_ < capacity_);
        return filling_[count_++];
    }
    // Places for `count` more, to be written like append()'s.
    [[nodiscard]] Completion* append_some(std::uint32_t count) noexcept {
        HAWSER_CHECK(count <= room());
        Completion* const first = &filling_[count_];
        count_ += count;
        return first;
    }
    // Call only when there is one.
    [[nodiscard]] Completion& latest() noexcept { return filling_[count_ - 1]; }
    [[nodiscard]] std::span<const Completion> take() noexcept {
        filling_.swap(reading_);
        const std::uint32_t count = count_;
        count_ = 0;
        return {reading_.get(), count};
    }
    // Takes back what a socket has gathered, when it is closed.
    void forget(SocketId socket, Pool& pool) noexcept {
        std::uint32_t kept = 0;
        for (std::uint32_t i = 0; i < count_; ++i) {
            if (filling_[i].socket == socket)
                give_up(filling_[i], pool);
            else
                filling_[kept++] = filling_[i];
        }
        count_ = kept;
    }
    // At the end of a model's life: what nobody will take any more.
    void drop_all(Pool& pool) noexcept {
        for (std::uint32_t i = 0; i < count_; ++i) give_up(filling_[i], pool);
        count_ = 0;
    }

private:
    static void give_up(const Completion& c, Pool& pool) noexcept {
        if (c.packet.buffer != no_buffer) pool.release(c.packet.buffer);
    }

    std::uint32_t capacity_;
    std::uint32_t count_ = 0;
    std::unique_ptr<Completion[]> filling_;
    std::unique_ptr<Completion[]> reading_;
};

}  // namespace hawser::os
