// SPDX-License-Identifier: MIT
// An uplink file of any content: bounded lists, each uplink once, and what is written of an uplink reads back as it.
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "platform/control/uplink_list.h"

using namespace hawser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    using control::UplinkForms;
    const UplinkForms forms = size % 2 == 0 ? UplinkForms::all : UplinkForms::addresses;
    const control::UplinkList list = control::parse_uplinks(text, forms);
    HAWSER_CHECK(list.uplinks.size() <= links_max && list.complaints.size() <= 100);
    for (std::size_t i = 0; i < list.uplinks.size(); ++i) {
        std::string complaint;
        const auto again = control::parse_uplink(control::uplink_text(list.uplinks[i]), UplinkForms::all, complaint);
        HAWSER_CHECK(again && control::same_uplink(*again, list.uplinks[i]));
        for (std::size_t j = 0; j < i; ++j) HAWSER_CHECK(!control::same_uplink(list.uplinks[i], list.uplinks[j]));
    }
    // A complaint is printed: it holds nothing that moves a cursor.
    for (const std::string& complaint : list.complaints)
        for (const char c : complaint) HAWSER_CHECK(c >= ' ' && c < 0x7F);
    return 0;
}
