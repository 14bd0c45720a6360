// SPDX-License-Identifier: MIT
// --allow with any words: refused, or a network that holds its own address and reads back as what was read.
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "platform/app/source_prefix.h"
#include "platform/linux/sockaddr.h"

using namespace hawser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto prefix = app::parse_prefix({reinterpret_cast<const char*>(data), size});
    if (!prefix) return 0;
    Endpoint own;
    own.address = prefix->address;
    const unsigned before = own.is_v4() ? 96 : 0;
    HAWSER_CHECK(prefix->bits >= before && prefix->bits <= 128 && prefix->holds(own));
    const auto again = app::parse_prefix(os::address_text(own) + "/" + std::to_string(prefix->bits - before));
    HAWSER_CHECK(again && again->address == prefix->address && again->bits == prefix->bits);
    return 0;
}
