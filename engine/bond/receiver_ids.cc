// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_ids.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawser::bond {
namespace {

constexpr std::size_t tag_bytes = 16;
constexpr std::size_t plain_tag_at = wire::group_id_sender_bytes;
constexpr std::size_t answered_tag_at = wire::group_id_sender_bytes + wire::extension_bytes_max;
static_assert(answered_tag_at + tag_bytes + sizeof(Endpoint) <= wire::group_id_bytes);
static_assert((wire::group_id_bytes - plain_tag_at) % 16 == 0 && (wire::group_id_bytes - answered_tag_at) % 16 == 0);

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

void GroupIds::apply_stream(wire::GroupKey& id, std::size_t tag_at) const noexcept {
    std::array<std::uint8_t, 24> seed{};
    std::copy_n(id.data() + tag_at, tag_bytes, seed.begin());
    std::array<std::uint8_t, 16> block{};
    for (std::size_t at = tag_at + tag_bytes; at < id.size(); at += block.size()) {
        store_be64(seed.data() + 16, at);
        store(block.data(), streams_.of(seed));
        for (std::size_t i = 0; i < block.size(); ++i) id[at + i] = static_cast<std::uint8_t>(id[at + i] ^ block[i]);
    }
}

wire::GroupKey GroupIds::make_in(std::int64_t number, Bytes open, std::size_t tag_at,
                                 const Endpoint& from) const noexcept {
    std::array<std::uint8_t, 8 + answered_tag_at + sizeof(Endpoint)> said{};
    store_be64(said.data(), static_cast<std::uint64_t>(number));
    std::copy_n(open.begin(), tag_at, said.begin() + 8);
    std::memcpy(said.data() + 8 + tag_at, &from, sizeof from);

    wire::GroupKey id{};
    std::copy_n(open.begin(), tag_at, id.begin());
    store(id.data() + tag_at, tags_.of(Bytes(said).first(8 + tag_at + sizeof from)));
    std::memcpy(id.data() + tag_at + tag_bytes, &from, sizeof from);
    apply_stream(id, tag_at);
    return id;
}

wire::GroupKey GroupIds::make(Bytes sender_half, const std::optional<wire::Extension>& answer, const Endpoint& from,
                              Instant now) const noexcept {
    wire::GroupKey open{};
    std::copy_n(sender_half.begin(), wire::group_id_sender_bytes, open.begin());
    if (answer) wire::write_answer(wire::extension_half(MutableBytes(open)), *answer);
    return make_in(now.ns / period.ns, open, answer ? answered_tag_at : plain_tag_at, from);
}

std::optional<Endpoint> GroupIds::registrant(Bytes id, Instant now) const noexcept {
    const std::size_t tag_at = wire::answer_in(wire::extension_half(id)) ? answered_tag_at : plain_tag_at;
    wire::GroupKey open;
    std::copy_n(id.begin(), open.size(), open.begin());
    apply_stream(open, tag_at);
    Endpoint from;
    std::memcpy(&from, open.data() + tag_at + tag_bytes, sizeof from);
    const std::int64_t number = now.ns / period.ns;
    for (const std::int64_t made_in : {number, number - 1})
        if (same_bytes(make_in(made_in, id, tag_at, from).data(), id.data(), wire::group_id_bytes)) return from;
    return std::nullopt;
}

}  // namespace hawser::bond
