// SPDX-License-Identifier: MIT
// The attributes of one rtnetlink message by their number, with checked lengths. Private to this folder's sources.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <optional>

#include "engine/base/endpoint.h"

namespace hawser::control {

// Of 4 bytes or 16; absent otherwise.
[[nodiscard]] inline std::optional<Endpoint> address_of(const nlattr* attribute) {
    const std::size_t bytes = attribute == nullptr ? 0 : mnl_attr_get_payload_len(attribute);
    if (bytes != 4 && bytes != 16) return std::nullopt;
    Endpoint e;
    if (bytes == 4) e.address[10] = e.address[11] = 0xFF;
    std::memcpy(e.address.data() + (16 - bytes), mnl_attr_get_payload(attribute), bytes);
    return e;
}

// `Max`: the highest number that is of interest (IFLA_MAX ...); others are passed over.
template <std::size_t Max>
class Attributes {
public:
    // Behind a head of so many bytes (ifinfomsg ...).
    Attributes(const nlmsghdr* message, std::size_t head_bytes) {
        mnl_attr_parse(message, static_cast<unsigned>(head_bytes), take, this);
    }
    Attributes(const void* bytes, std::size_t length) { mnl_attr_parse_payload(bytes, length, take, this); }

    [[nodiscard]] const nlattr* operator[](std::size_t type) const { return at_[type]; }
    [[nodiscard]] std::optional<std::uint32_t> number(std::size_t type) const {
        const nlattr* const a = at_[type];
        if (a == nullptr || mnl_attr_get_payload_len(a) < sizeof(std::uint32_t)) return std::nullopt;
        return mnl_attr_get_u32(a);
    }
    [[nodiscard]] std::optional<Endpoint> address(std::size_t type) const { return address_of(at_[type]); }

private:
    static int take(const nlattr* attribute, void* self) {
        const std::uint16_t type = mnl_attr_get_type(attribute);
        if (type <= Max) static_cast<Attributes*>(self)->at_[type] = attribute;
        return MNL_CB_OK;
    }
    const nlattr* at_[Max + 1] = {};
};

}  // namespace hawser::control
