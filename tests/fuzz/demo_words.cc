// SPDX-License-Identifier: MIT
// The demonstration's --link and --dark with any words: refused with the option's name and no link touched, or within
// the bounds that the emulator relies on.
#include <string_view>

#include "engine/base/check.h"
#include "platform/app/demo/options.h"

using namespace hawser;
using namespace hawser::literals;

namespace {

bool is_sane(const demo::LinkShape& s) {
    return s.rate_kbps <= 1'000'000 && s.delay.ns >= 0 && s.delay <= 10_s && s.queue.ns >= 0 && s.queue <= 10_s &&
           s.loss >= 0 && s.loss <= 1;
}
bool are_same(const demo::LinkShape& a, const demo::LinkShape& b) {
    return a.rate_kbps == b.rate_kbps && a.delay == b.delay && a.queue == b.queue && a.loss == b.loss;
}

void check_link_setting(std::string_view text) {
    const auto before = demo::default_links(demo::demo_links_max);
    auto links = before;
    const auto applied = demo::apply_link_setting(text, links);
    HAWSER_CHECK(applied || applied.error().text.rfind("--link ", 0) == 0);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < links.size(); ++i) {
        HAWSER_CHECK(is_sane(links[i]));
        changed += are_same(links[i], before[i]) ? 0 : 1;
    }
    HAWSER_CHECK(links.size() == before.size() && changed <= (applied ? 1 : 0));
}

void check_dark_window(std::string_view text) {
    const auto window = demo::read_dark_window(text, demo::demo_links_max);
    if (!window) {
        HAWSER_CHECK(window.error().text.rfind("--dark ", 0) == 0);
        return;
    }
    HAWSER_CHECK(window->link < demo::demo_links_max);
    HAWSER_CHECK(window->start.ns >= 0 && window->start <= 86'400_s);
    HAWSER_CHECK(window->length.ns >= 0 && window->length <= 86'400_s);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_link_setting(text);
    check_dark_window(text);
    return 0;
}
