// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_groups.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/bond/receiver_ids.h"

namespace hawser::bond {
namespace {

constexpr std::uint16_t empty_place = 0xFFFF;

// Checked before anything is allocated by it.
std::uint32_t within(std::uint32_t count, std::uint32_t bound) {
    HAWSER_CHECK(count > 0 && count <= bound);
    return count;
}

}  // namespace

GroupTable::GroupTable(std::uint32_t groups_max, std::uint32_t links_per_group, KeyedHash hash)
    : groups_max_(within(groups_max, receiver_groups_bound)),
      links_per_group_(within(links_per_group, receiver_links_bound)),
      groups_(std::make_unique<ReceiverGroup[]>(groups_max_)),
      links_(std::make_unique<ReceiverLink[]>(std::size_t{groups_max_} * links_per_group_)),
      keys_(std::make_unique<wire::GroupKey[]>(groups_max_)),
      active_(std::make_unique<std::uint16_t[]>(groups_max_)),
      free_(std::make_unique<std::uint16_t[]>(groups_max_)),
      free_count_(groups_max_),
      key_mask_(std::bit_ceil(2 * groups_max_) - 1),
      key_index_(std::make_unique<std::uint16_t[]>(std::size_t{key_mask_} + 1)),
      hash_(hash),
      addresses_(groups_max_ * links_per_group_, hash) {
    for (std::uint32_t i = 0; i < groups_max; ++i) free_[i] = static_cast<std::uint16_t>(groups_max - 1 - i);
    std::fill_n(key_index_.get(), std::size_t{key_mask_} + 1, empty_place);
}

std::uint32_t GroupTable::key_home(Bytes id) const noexcept {
    // Where no two ids that we made are alike, with an answer to an offer before it or without.
    const std::uint8_t* ours = id.data() + wire::group_id_sender_bytes + wire::extension_bytes_max;
    return static_cast<std::uint32_t>(hash_.of(load_be64(ours), load_be64(ours + 8), 0)) & key_mask_;
}

std::uint32_t GroupTable::find(Bytes id) const noexcept {
    for (std::uint32_t at = key_home(id); key_index_[at] != empty_place; at = (at + 1) & key_mask_) {
        const std::uint32_t g = key_index_[at];
        if (same_bytes(keys_[g].data(), id.data(), wire::group_id_bytes)) return g;
    }
    return no_slot;
}

std::uint32_t GroupTable::add_group(Bytes id, Instant now) noexcept {
    HAWSER_CHECK(free_count_ > 0 && id.size() == wire::group_id_bytes);
    const std::uint32_t g = free_[--free_count_];
    wire::GroupKey& key = keys_[g];
    std::copy(id.begin(), id.end(), key.begin());
    std::uint32_t at = key_home(key);
    while (key_index_[at] != empty_place) at = (at + 1) & key_mask_;
    key_index_[at] = static_cast<std::uint16_t>(g);

    ReceiverGroup& group = groups_[g];
    const std::uint32_t generation = group.generation;
    group = ReceiverGroup{};
    group.generation = generation;  // goes on, so that a tag of the slot's last tenant stays stale
    group.in_use = true;
    group.extension = wire::answer_in(wire::extension_half(id)).value_or(wire::Extension{});
    group.created = group.heard = group.data_at = now;
    group.active_at = active_count_;
    active_[active_count_++] = static_cast<std::uint16_t>(g);
    return g;
}

void GroupTable::erase_key(std::uint32_t g) noexcept {
    std::uint32_t gap = key_home(keys_[g]);
    while (key_index_[gap] != g) gap = (gap + 1) & key_mask_;
    for (std::uint32_t at = (gap + 1) & key_mask_; key_index_[at] != empty_place; at = (at + 1) & key_mask_) {
        const std::uint32_t probed = (at - key_home(keys_[key_index_[at]])) & key_mask_;
        if (probed < ((at - gap) & key_mask_)) continue;
        key_index_[gap] = key_index_[at];
        gap = at;
    }
    key_index_[gap] = empty_place;
}

void GroupTable::remove_group(std::uint32_t g) noexcept {
    ReceiverGroup& group = groups_[g];
    HAWSER_CHECK(group.in_use && group.links == 0);
    erase_key(g);
    const std::uint16_t last = active_[--active_count_];
    active_[group.active_at] = last;
    groups_[last].active_at = group.active_at;
    group.in_use = false;
    free_[free_count_++] = static_cast<std::uint16_t>(g);
}

std::uint32_t GroupTable::add_link(std::uint32_t g, const Endpoint& from, Instant now) noexcept {
    ReceiverGroup& group = groups_[g];
    const auto id = static_cast<std::uint32_t>(std::countr_one(group.links));
    if (id >= links_per_group_) return no_slot;
    HAWSER_CHECK(addresses_.find(from).is_nobody());
    const std::uint32_t slot = slot_of(g, id);
    ReceiverLink& link = links_[slot];
    link = ReceiverLink{};
    link.endpoint = from;
    link.heard = link.joined = now;
    link.group = static_cast<std::uint16_t>(g);
    link.id = static_cast<std::uint8_t>(id);
    group.links |= 1u << id;
    addresses_.set(from, Owner::link(slot));
    return slot;
}

// The link's endpoint stays readable until its slot is used again: sends of this call may point to it.
void GroupTable::remove_link(std::uint32_t slot) noexcept {
    ReceiverLink& link = links_[slot];
    ReceiverGroup& group = groups_[link.group];
    HAWSER_CHECK((group.links >> link.id & 1u) != 0 && link.ack.empty());
    addresses_.erase(link.endpoint);
    group.links &= ~(1u << link.id);
    if (group.handshake_link == link.id) group.handshake_link = no_link.value;
    if (group.last_link != link.id) return;
    // The way back to the sender is the one that delivered next to last.
    group.last_link = no_link.value;
    Instant latest;
    each_link(link.group, [&](std::uint32_t, const ReceiverLink& other) {
        if (!other.delivered || (group.last_link != no_link.value && other.delivered_at <= latest)) return;
        group.last_link = other.id;
        latest = other.delivered_at;
    });
}

bool GroupTable::is_consistent() const noexcept {
    if (active_count_ + free_count_ != groups_max_ || !addresses_.is_consistent()) return false;
    std::uint32_t owners = 0;
    for (std::uint32_t i = 0; i < active_count_; ++i) {
        const std::uint32_t g = active_[i];
        const ReceiverGroup& group = groups_[g];
        if (!group.in_use || group.active_at != i || find(keys_[g]) != g) return false;
        if (links_per_group_ < 32 && (group.links >> links_per_group_) != 0) return false;
        for (std::uint32_t id = 0; id < links_per_group_; ++id) {
            if ((group.links >> id & 1u) == 0) {
                if (group.last_link == id || group.handshake_link == id) return false;
                continue;
            }
            ++owners;
            const std::uint32_t slot = slot_of(g, id);
            if (links_[slot].group != g || links_[slot].id != id) return false;
            if (!(addresses_.find(links_[slot].endpoint) == Owner::link(slot))) return false;
        }
    }
    for (std::uint32_t i = 0; i < free_count_; ++i)
        if (groups_[free_[i]].in_use) return false;
    std::uint32_t indexed = 0;
    for (std::uint32_t at = 0; at <= key_mask_; ++at) indexed += key_index_[at] != empty_place ? 1u : 0u;
    return owners == addresses_.size() && indexed == active_count_;
}

}  // namespace hawser::bond
