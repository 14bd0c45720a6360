// SPDX-License-Identifier: MIT
// A loss list is walked whole or not at all, and never for longer than its limit.
#include "engine/wire/loss_list.h"

#include "engine/base/check.h"
#include "tests/fuzz/input.h"

using namespace hawser;
using namespace hawser::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::int32_t limit = input.u16();
    const auto list = LossList::over(input.rest(), limit);
    if (!list) return 0;
    HAWSER_CHECK(list->count() >= 1 && list->count() <= limit);
    std::int32_t walked = 0;
    std::int32_t ranged = 0;
    list->each_range([&](LossRange range) {
        HAWSER_CHECK(range.count() >= 1);
        ranged += range.count();
    });
    list->each([&](Seq31) { ++walked; });
    HAWSER_CHECK(walked == list->count() && ranged == walked);
    return 0;
}
