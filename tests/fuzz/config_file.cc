// SPDX-License-Identifier: MIT
// A configuration file of any content: refused with a sentence that names it, or one that is printed and read again as
// the same.
#include <string_view>

#include "engine/base/check.h"
#include "platform/app/config/config_file.h"
#include "platform/app/config/receiver_keys.h"
#include "platform/app/config/sender_keys.h"

using namespace hawser;

namespace {

std::string text_of(app::Config& c) {
    std::string out;
    if (c.sender) out += app::config_text(app::sender_section(*c.sender));
    if (c.receiver) out += app::config_text(app::receiver_section(*c.receiver));
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto config = app::parse_config({reinterpret_cast<const char*>(data), size}, "file");
    if (!config) {
        HAWSER_CHECK(config.error().rfind("file:", 0) == 0);
        for (const char c : config.error()) HAWSER_CHECK(static_cast<unsigned char>(c) >= ' ' && c != 0x7F);
        return 0;
    }
    const std::string text = text_of(*config);
    auto again = app::parse_config(text, "file");
    HAWSER_CHECK(again && text_of(*again) == text);
    return 0;
}
