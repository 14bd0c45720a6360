// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_ids.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawser::bond {
namespace {

constexpr std::size_t tag_at = wire::group_id_sender_bytes;
constexpr std::size_t body_at = tag_at + 16;
static_assert(body_at + sizeof(Endpoint) <= wire::group_id_bytes && (wire::group_id_bytes - body_at) % 16 == 0);

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

void GroupIds::apply_stream(wire::GroupKey& id) const noexcept {
    std::array<std::uint8_t, 24> seed{};
    std::copy_n(id.begin() + tag_at, 16, seed.begin());
    std::array<std::uint8_t, 16> block{};
    for (std::size_t at = body_at; at < id.size(); at += block.size()) {
        store_be64(seed.data() + 16, at);
        store(block.data(), streams_.of(seed));
        for (std::size_t i = 0; i < block.size(); ++i) id[at + i] = static_cast<std::uint8_t>(id[at + i] ^ block[i]);
    }
}

wire::GroupKey GroupIds::make_in(std::int64_t number, Bytes sender_half, const Endpoint& from) const noexcept {
    std::array<std::uint8_t, 8 + wire::group_id_sender_bytes + sizeof(Endpoint)> said{};
    store_be64(said.data(), static_cast<std::uint64_t>(number));
    std::copy_n(sender_half.begin(), wire::group_id_sender_bytes, said.begin() + 8);
    std::memcpy(said.data() + 8 + wire::group_id_sender_bytes, &from, sizeof from);

    wire::GroupKey id{};
    std::copy_n(sender_half.begin(), wire::group_id_sender_bytes, id.begin());
    store(id.data() + tag_at, tags_.of(said));
    std::memcpy(id.data() + body_at, &from, sizeof from);
    apply_stream(id);
    return id;
}

wire::GroupKey GroupIds::make(Bytes sender_half, const Endpoint& from, Instant now) const noexcept {
    return make_in(now.ns / period.ns, sender_half, from);
}

std::optional<Endpoint> GroupIds::registrant(Bytes id, Instant now) const noexcept {
    wire::GroupKey open;
    std::copy_n(id.begin(), open.size(), open.begin());
    apply_stream(open);
    Endpoint from;
    std::memcpy(&from, open.data() + body_at, sizeof from);
    const std::int64_t number = now.ns / period.ns;
    for (const std::int64_t made_in : {number, number - 1})
        if (same_bytes(make_in(made_in, id, from).data(), id.data(), wire::group_id_bytes)) return from;
    return std::nullopt;
}

}  // namespace hawser::bond
