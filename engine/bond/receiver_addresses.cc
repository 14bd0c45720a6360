// SPDX-License-Identifier: MIT
#include "engine/bond/receiver_addresses.h"

#include <bit>

#include "engine/base/check.h"

namespace hawser::bond {

AddressMap::AddressMap(std::uint32_t entries, KeyedHash hash)
    : mask_(std::bit_ceil(2 * entries) - 1),
      entries_max_(entries),
      hash_(hash),
      entries_(std::make_unique<Entry[]>(std::size_t{mask_} + 1)) {
    HAWSER_CHECK(entries > 0);
}

std::uint32_t AddressMap::locate(const Endpoint& address, std::uint32_t home) const noexcept {
    std::uint32_t at = home;
    // Ends: at least half of the places are free.
    while (!entries_[at].owner.is_nobody() && !(entries_[at].address == address)) at = (at + 1) & mask_;
    return at;
}

Owner AddressMap::find(const Endpoint& address) const noexcept {
    return entries_[locate(address, home_of(address))].owner;
}

void AddressMap::set(const Endpoint& address, Owner owner) noexcept {
    HAWSER_CHECK(!owner.is_nobody());
    const std::uint32_t home = home_of(address);
    Entry& entry = entries_[locate(address, home)];
    if (entry.owner.is_nobody()) {
        HAWSER_CHECK(size_ < entries_max_);
        ++size_;
        entry.address = address;
        entry.home = home;
    }
    entry.owner = owner;
}

void AddressMap::erase(const Endpoint& address) noexcept {
    std::uint32_t gap = locate(address, home_of(address));
    if (entries_[gap].owner.is_nobody()) return;
    --size_;
    // Whoever probed past the gap moves into it: an entry may move if its home is not between the gap and itself.
    for (std::uint32_t at = (gap + 1) & mask_; !entries_[at].owner.is_nobody(); at = (at + 1) & mask_) {
        const std::uint32_t probed = (at - entries_[at].home) & mask_;
        const std::uint32_t beyond_gap = (at - gap) & mask_;
        if (probed < beyond_gap) continue;
        entries_[gap] = entries_[at];
        gap = at;
    }
    entries_[gap].owner = Owner{};
}

bool AddressMap::is_consistent() const noexcept {
    std::uint32_t count = 0;
    for (std::uint32_t at = 0; at <= mask_; ++at) {
        const Entry& entry = entries_[at];
        if (entry.owner.is_nobody()) continue;
        ++count;
        if (entry.home != home_of(entry.address) || locate(entry.address, entry.home) != at) return false;
    }
    return count == size_;
}

}  // namespace hawser::bond
