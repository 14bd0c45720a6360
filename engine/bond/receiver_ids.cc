// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_ids.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawser::bond {
namespace {

constexpr std::size_t tag_bytes = 16;
constexpr std::size_t block_bytes = 16;  // of the stream
constexpr std::size_t address_blocks_bytes = (sizeof(Endpoint) + block_bytes - 1) / block_bytes * block_bytes;
constexpr std::size_t plain_tag_at = wire::group_id_sender_bytes;
constexpr std::size_t answered_tag_at = wire::group_id_sender_bytes + wire::extension_bytes_max;
static_assert(answered_tag_at + tag_bytes + address_blocks_bytes <= wire::group_id_bytes);
static_assert((wire::group_id_bytes - plain_tag_at - tag_bytes) % block_bytes == 0);
static_assert((wire::group_id_bytes - answered_tag_at - tag_bytes) % block_bytes == 0);
static_assert(plain_tag_at % 8 == 0 && answered_tag_at % 8 == 0 && sizeof(Endpoint) % 8 == 0, "whole words");

void store(std::uint8_t* to, const SipHash::Value& value) {
    store_be64(to, value[0]);
    store_be64(to + 8, value[1]);
}

SipHash keyed(SecretRandom& secret) {
    const std::uint64_t key0 = secret.next();
    return SipHash(key0, secret.next());
}

}  // namespace

bool same_bytes(const std::uint8_t* a, const std::uint8_t* b, std::size_t count) {
    unsigned difference = 0;
    for (std::size_t i = 0; i < count; ++i) difference |= unsigned{a[i]} ^ unsigned { b[i] };
    return difference == 0;
}

GroupIds::GroupIds(SecretRandom& secret) : tags_(keyed(secret)), streams_(keyed(secret)) {}

void GroupIds::apply_stream(wire::GroupKey& id, std::size_t tag_at, std::size_t from, std::size_t to) const noexcept {
    SipHash::Stream seed = streams_.stream();
    seed.add(Bytes(id).subspan(tag_at, tag_bytes));
    std::array<std::uint8_t, block_bytes> block{};
    for (std::size_t at = from; at < to; at += block.size()) {
        SipHash::Stream here = seed;
        here.add(at);
        store(block.data(), here.end());
        for (std::size_t i = 0; i < block.size(); ++i) id[at + i] = static_cast<std::uint8_t>(id[at + i] ^ block[i]);
    }
}

SipHash::Stream GroupIds::said(Bytes open, std::size_t tag_at, const Endpoint& from) const noexcept {
    std::array<std::uint8_t, sizeof from> address{};
    std::memcpy(address.data(), &from, sizeof from);
    SipHash::Stream s = tags_.stream();
    s.add(open.first(tag_at));
    s.add(address);
    return s;
}

wire::GroupKey GroupIds::make(Bytes sender_half, const std::optional<wire::Extension>& answer, const Endpoint& from,
                              Instant now) const noexcept {
    wire::GroupKey id{};
    std::copy_n(sender_half.begin(), wire::group_id_sender_bytes, id.begin());
    if (answer) wire::write_answer(wire::extension_half(MutableBytes(id)), *answer);
    const std::size_t tag_at = answer ? answered_tag_at : plain_tag_at;
    SipHash::Stream tag = said(id, tag_at, from);
    tag.add(static_cast<std::uint64_t>(now.ns / period.ns));
    std::fill(id.begin() + static_cast<std::ptrdiff_t>(tag_at), id.end(), std::uint8_t{0});
    store(id.data() + tag_at, tag.end());
    std::memcpy(id.data() + tag_at + tag_bytes, &from, sizeof from);
    apply_stream(id, tag_at, tag_at + tag_bytes, id.size());
    return id;
}

// A stranger's REG2 costs the two blocks that hold the address and one tag more than one; the rest of the body is for
// ids whose tag is ours.
std::optional<Endpoint> GroupIds::registrant(Bytes id, Instant now) const noexcept {
    const std::size_t tag_at = wire::answer_in(wire::extension_half(id)) ? answered_tag_at : plain_tag_at;
    const std::size_t body_at = tag_at + tag_bytes;
    wire::GroupKey open;
    std::copy_n(id.begin(), open.size(), open.begin());
    apply_stream(open, tag_at, body_at, body_at + address_blocks_bytes);
    Endpoint from;
    std::memcpy(&from, open.data() + body_at, sizeof from);
    const SipHash::Stream tag = said(open, tag_at, from);
    const std::int64_t number = now.ns / period.ns;
    std::array<std::uint8_t, tag_bytes> ours;
    bool is_ours = false;
    for (const std::int64_t made_in : {number, number - 1}) {
        SipHash::Stream of_period = tag;
        of_period.add(static_cast<std::uint64_t>(made_in));
        store(ours.data(), of_period.end());
        is_ours = is_ours || same_bytes(ours.data(), open.data() + tag_at, tag_bytes);
    }
    if (!is_ours) return std::nullopt;
    // Else one id would be many: a sender could have as many groups of one answer as it likes.
    apply_stream(open, tag_at, body_at + address_blocks_bytes, open.size());
    for (std::size_t at = body_at + sizeof from; at < open.size(); ++at)
        if (open[at] != 0) return std::nullopt;
    return from;
}

}  // namespace hawser::bond
