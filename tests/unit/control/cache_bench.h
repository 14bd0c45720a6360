// SPDX-License-Identifier: MIT
// What the tests of the radio state cache share: a folder, a clock that can be set, and statuses to learn from.
#pragma once

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "engine/wire/radio_tlv.h"
#include "platform/control/radio/cache_text.h"
#include "platform/control/radio/state_cache.h"
#include "platform/linux/clock.h"
#include "tests/io/folder.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

namespace hawser::cache_test {

using namespace hawser::control;
using test::Folder;

inline std::string content(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}
inline void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

inline void run_for(Loop& loop, Duration time) {
    Timer timer;
    timer.set(os::now() + time);
    loop.watch(timer.fd(), [&] { loop.quit(0); });
    loop.run();
    loop.unwatch(timer.fd());
}

inline const Endpoint group = Endpoint::from_v4(0xEF6C9B20, 5006);
inline const Endpoint source = Endpoint::from_v4(0x7F000001, 44717);

struct Sample {
    std::vector<std::uint8_t> packet;
    radio::Status status;
};
inline Sample sample(double frequency = 0) {
    Sample out;
    out.packet = vectors::from_hex(vectors::radiod::created_usb_hex);
    REQUIRE_FALSE(radio::decode_status(out.packet, out.status));
    if (frequency != 0) out.status.channel.frequency = frequency;
    return out;
}
// The same channel under another number.
inline Sample sample_of(std::uint32_t ssrc) {
    const Sample original = sample();
    Sample out;
    out.packet.resize(original.packet.size());
    wire::RadioBuilder builder(out.packet, wire::RadioPacketType::status);
    auto reader = wire::RadioReader::over(original.packet);
    for (wire::RadioElement e; reader->next(e);) {
        if (e.field == static_cast<std::uint8_t>(radio::RadioField::output_ssrc))
            builder.integer(radio::RadioField::output_ssrc, ssrc);
        else
            builder.bytes(static_cast<radio::RadioField>(e.field), e.value);
    }
    const auto whole = builder.finish();
    REQUIRE(whole);
    out.packet.resize(whole->size());
    REQUIRE_FALSE(radio::decode_status(out.packet, out.status));
    return out;
}
inline void learn(StateCache& cache, std::uint32_t ssrc) {
    const Sample s = sample_of(ssrc);
    cache.learn_radio(group, {});
    cache.learn_channel(group, source, s.packet, s.status);
}
inline void ignore(const std::string&) {}
inline std::set<std::uint32_t> channels_in(const CacheState& state) {
    std::set<std::uint32_t> out;
    for (const auto& [key, radio] : state.radios)
        for (const auto& [ssrc, c] : radio.channels) out.insert(ssrc);
    return out;
}
using Numbers = std::set<std::uint32_t>;

// The machine's, as a test sets it.
struct Clock {
    std::atomic<std::int64_t> now_s{1'800'000'000};
    UnixClock reader() {
        return [this] { return now_s.load(); };
    }
};
inline constexpr std::int64_t hour_s = 3600;
inline constexpr std::int64_t day_s = 24 * hour_s;

inline CachedRadio named(const std::string& name) {
    CachedRadio radio;
    radio.name = name;
    return radio;
}

}  // namespace hawser::cache_test
