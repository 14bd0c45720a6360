// SPDX-License-Identifier: MIT
// What an earlier run left, of any content: good for its receiver or for nothing, and what is good is written as it was
// read.
#include <string>

#include "engine/base/check.h"
#include "platform/app/earlier_run.h"

using namespace hawser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const std::string receiver = "far.example:5000";
    const auto run = app::earlier_run_in(text, receiver);
    if (!run || !run->has_group) return 0;
    const auto again = app::earlier_run_in(app::earlier_run_text(*run, receiver), receiver);
    HAWSER_CHECK(again && again->has_group && again->group == run->group && again->latency == run->latency);
    HAWSER_CHECK(!app::earlier_run_in(text, receiver + "0")->has_group);
    return 0;
}
