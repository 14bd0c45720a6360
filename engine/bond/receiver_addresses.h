// SPDX-License-Identifier: MIT
// Which link a sender's address is: its slot.
// Open addressing with linear probes, at most half full, sized at construction; removal closes the gap, so there are
// no tombstones to pile up under hostile churn. The hash is keyed: strangers fill this table.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/endpoint.h"
#include "engine/base/keyed_hash.h"

namespace hawser::bond {

// A link's slot, or nobody.
struct Owner {
    static constexpr std::uint32_t nobody = 0xFFFF'FFFF;

    std::uint32_t value = nobody;

    [[nodiscard]] static constexpr Owner link(std::uint32_t slot) { return {slot}; }
    [[nodiscard]] constexpr bool is_nobody() const { return value == nobody; }
    [[nodiscard]] constexpr bool is_link() const { return !is_nobody(); }
    [[nodiscard]] constexpr std::uint32_t index() const { return value; }  // the link's slot
    friend constexpr bool operator==(Owner, Owner) = default;
};

class AddressMap {
public:
    // Room for `entries`; more is a bug of the caller's, who knows how many owners can exist.
    AddressMap(std::uint32_t entries, KeyedHash hash);

    [[nodiscard]] Owner find(const Endpoint& address) const noexcept;
    // Sets or replaces.
    void set(const Endpoint& address, Owner owner) noexcept;
    void erase(const Endpoint& address) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    // Each entry can be found, and there are size() of them.
    [[nodiscard]] bool is_consistent() const noexcept;

private:
    struct Entry {
        Endpoint address;
        Owner owner;
        std::uint32_t home = 0;  // where its probe begins
    };
    static_assert(sizeof(Entry) == 32, "two to a cache line");

    // Where the address is, or the free place where it would go.
    [[nodiscard]] std::uint32_t locate(const Endpoint& address, std::uint32_t home) const noexcept;
    [[nodiscard]] std::uint32_t home_of(const Endpoint& address) const noexcept {
        return static_cast<std::uint32_t>(hash_.of(address)) & mask_;
    }

    std::uint32_t mask_;
    std::uint32_t entries_max_;
    std::uint32_t size_ = 0;
    KeyedHash hash_;
    std::unique_ptr<Entry[]> entries_;
};

}  // namespace hawser::bond
