// SPDX-License-Identifier: MIT
// What was learned of radiods, on disk and back.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/wire/radio_tlv.h"
#include "platform/control/radio/radio_names.h"
#include "platform/linux/fd.h"
#include "tests/unit/control/cache_bench.h"

using namespace hawser;
using namespace hawser::control;
using namespace hawser::cache_test;

TEST_CASE("what was learned is there again after a flush, in folders that were made for it") {
    const Folder folder;
    const std::string path = folder.path + "/deep/down/radio.json";
    const Sample s = sample();
    std::string said;
    {
        Loop loop;
        StateCache cache(loop, path, [&](const std::string& text) { said += text; });
        cache.learn_name("siglo.local", group);
        cache.learn_radio(group, named("siglo.local"));
        cache.learn_channel(group, source, s.packet, s.status);
        CHECK(cache.writes() == 0);
    }
    Loop loop;
    const StateCache cache(loop, path, [&](const std::string& text) { said += text; });
    CHECK(cache.group_of("siglo.local") == group);
    const auto& radio = cache.state().radios.at("239.108.155.32:5006");
    CHECK(radio.name == "siglo.local");
    REQUIRE(radio.channels.count(s.status.channel.ssrc) == 1);
    CHECK(radio.channels.at(s.status.channel.ssrc).status == s.packet);
    CHECK(radio.channels.at(s.status.channel.ssrc).source == source);
    CHECK(said.empty());
}

TEST_CASE("one group by two interfaces is two radiods, each with its channels") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    const Sample s = sample();
    const CachedGroup wired(group, "eth0");
    const CachedGroup by_route(group);
    {
        Loop loop;
        StateCache cache(loop, path, [](const std::string&) {});
        cache.learn_radio(wired, named("wired"));
        cache.learn_radio(by_route, named("by route"));
        cache.learn_channel(wired, source, s.packet, s.status);
        cache.forget_channel(by_route, s.status.channel.ssrc);
    }
    Loop loop;
    const StateCache cache(loop, path, [](const std::string&) {});
    const auto& radios = cache.state().radios;
    REQUIRE(radios.size() == 2);
    CHECK(radios.at(wired.key()).name == "wired");
    CHECK(radios.at(wired.key()).interface == "eth0");
    CHECK(radios.at(wired.key()).group == group);
    CHECK(radios.at(wired.key()).channels.size() == 1);
    CHECK(radios.at(by_route.key()).name == "by route");
    CHECK(radios.at(by_route.key()).channels.empty());
}

TEST_CASE("a thousand changes are one write, and a counter that moves is none") {
    const Folder folder;
    Loop loop;
    StateCache cache(loop, folder.path + "/radio.json", [](const std::string&) {});
    cache.learn_radio(group, named("a"));
    for (int i = 0; i < 1000; ++i) {
        const Sample s = sample(1e6 + i);
        cache.learn_channel(group, source, s.packet, s.status);
    }
    run_for(loop, StateCache::write_interval + Duration{300'000'000});
    CHECK(cache.writes() == 1);
    Sample s = sample(1e6 + 999);
    s.status.frontend.input_samples += 1000;
    s.status.channel.commands += 1;
    s.status.agc.gain += 1;
    cache.learn_channel(group, source, s.packet, s.status);
    cache.flush();
    CHECK(cache.writes() == 1);
}

TEST_CASE("damage, another version and the future are told once and ignored") {
    struct Case {
        const char* text;
        const char* complaint;
    };
    const auto c = GENERATE(Case{"{", "it is damaged"}, Case{"[1,2", "it is damaged"}, Case{"{}", "it is damaged"},
                            Case{"\xff\xfe\x00", "it is damaged"},
                            Case{"{\"hawser_radio_cache\": 2}", "it is of another version of hawser"},
                            Case{"{\"hawser_radio_cache\": 1, \"names\": 7, \"radios\": [1, {\"group\": 3}]}", ""});
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    put(path, c.text);
    std::string said;
    {
        Loop loop;
        StateCache cache(loop, path, [&](const std::string& text) { said += text; });
        CHECK(cache.state().radios.empty());
        cache.learn_name("x.local", group);
    }
    if (*c.complaint == '\0')
        CHECK(said.empty());
    else
        CHECK(said == "the cache " + path + " is not used: " + c.complaint);
    // A newer hawser's file is left to it; a damaged one is replaced.
    const bool is_foreign = std::string(c.complaint).find("version") != std::string::npos;
    CHECK((content(path) == c.text) == is_foreign);
}

TEST_CASE("every cut of a cache is read as the whole, or as nothing") {
    CacheState state;
    state.names["siglo.local"] = {group, 2000};
    state.radios["239.108.155.32:5006"] = named("siglo.local");
    state.radios["239.108.155.32:5006"].seen_s = 1000;
    const Sample s = sample();
    state.radios["239.108.155.32:5006"].channels[s.status.channel.ssrc] = {source, 1000, s.packet, 0};
    const std::string text = cache_text(state);
    for (std::size_t i = 1; i + 2 < text.size(); ++i) {
        const auto cut = parse_cache(std::string_view(text).substr(0, i), 1500);
        CHECK(cut.complaint == "it is damaged");
        CHECK(cut.state.radios.empty());
    }
    CHECK(parse_cache(text, 1500).state.radios.at("239.108.155.32:5006").channels.size() == 1);
    // Of a clock that was days ahead, and what is too old.
    CHECK(parse_cache(text, 1000 - 90'000).state.radios.empty());
    CHECK(parse_cache(text, 1000 + channel_good_for_s + 1).state.radios.at("239.108.155.32:5006").channels.empty());
    CHECK(parse_cache(text, 2001).state.names.empty());
    // Statuses that are none are left out, one by one.
    std::string bad = text;
    bad.replace(bad.find("\"status\":\"") + 10, 4, "01zz");
    CHECK(parse_cache(bad, 1500).state.radios.at("239.108.155.32:5006").channels.empty());
}

TEST_CASE("what a full disk refused is written when there is room again, at the end at the latest") {
    const Folder folder;
    const std::string path = folder.path + "/sub/radio.json";
    std::vector<std::string> said;
    const auto say = [&](const std::string& text) { said.push_back(text); };
    Loop loop;
    {
        put(folder.path + "/sub", "");  // a file where its folder should be
        StateCache cache(loop, path, say);
        learn(cache, 1000);
        cache.flush();
        CHECK(said.size() == 1);
        REQUIRE(::unlink((folder.path + "/sub").c_str()) == 0);
        SECTION("by flush()") {
            cache.flush();
            CHECK(channels_in(read_cache(content(path)).state) == Numbers{1000});
            // The next time is told again.
            REQUIRE(std::rename((folder.path + "/sub").c_str(), (folder.path + "/aside").c_str()) == 0);
            put(folder.path + "/sub", "");
            learn(cache, 1001);
            cache.flush();
            CHECK(said.size() == 2);
            REQUIRE(::unlink((folder.path + "/sub").c_str()) == 0);
        }
        SECTION("at the end") {}
    }
    CHECK(channels_in(read_cache(content(path)).state).count(1000) == 1);
}

TEST_CASE("a sweep of a byte spectrum is no change, and its bins are not kept") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Loop loop;
    StateCache cache(loop, path, ignore);
    cache.learn_radio(group, named("a"));
    std::vector<std::uint8_t> room(4096);
    const auto sweep = [&](std::uint32_t i, std::size_t bins, float width_hz) {
        wire::RadioBuilder b(room, wire::RadioPacketType::status);
        b.integer(radio::RadioField::output_ssrc, 1000);
        b.integer(radio::RadioField::demod_type, static_cast<std::uint64_t>(radio::Demod::byte_spectrum));
        b.float32(radio::RadioField::resolution_bw, width_hz);
        b.float32(radio::RadioField::spectrum_base, -130 - static_cast<float>(i % 7));
        b.float32(radio::RadioField::spectrum_step, 0.4F + 0.01F * static_cast<float>(i % 5));
        b.bytes(radio::RadioField::bin_byte_data, std::vector<std::uint8_t>(bins, static_cast<std::uint8_t>(i)));
        Sample s;
        const auto packet = b.finish();
        REQUIRE(packet);
        REQUIRE_FALSE(radio::decode_status(*packet, s.status));
        cache.learn_channel(group, source, *packet, s.status);
        cache.flush();
    };
    const std::size_t bins = GENERATE(std::size_t{64}, std::size_t{700}, std::size_t{3000});
    for (std::uint32_t i = 0; i < 20; ++i) sweep(i, bins, 100);
    CHECK(cache.writes() == 1);
    sweep(20, bins, 200);
    CHECK(cache.writes() == 2);
    const auto state = read_cache(content(path)).state;
    REQUIRE(channels_in(state) == Numbers{1000});
    const auto& status = state.radios.begin()->second.channels.at(1000).status;
    radio::Status kept;
    REQUIRE_FALSE(radio::decode_status(status, kept));
    CHECK(kept.spectrum.resolution_bw == 200);
    CHECK(kept.spectrum.byte_bins.empty());
}

TEST_CASE("while one write is under way, what comes is one more behind it") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    const os::Fd slow(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::flock(slow.get(), LOCK_EX) == 0);
    Loop loop;
    StateCache cache(loop, path, ignore);
    learn(cache, 1);
    run_for(loop, StateCache::write_interval + Duration{300'000'000});
    REQUIRE(cache.writes() == 1);
    learn(cache, 2);
    run_for(loop, StateCache::write_interval + Duration{300'000'000});
    learn(cache, 3);
    CHECK(cache.writes() == 1);
    REQUIRE(::flock(slow.get(), LOCK_UN) == 0);
    for (int i = 0; i < 200 && content(path).empty(); ++i) run_for(loop, Duration{50'000'000});
    CHECK(cache.writes() == 1);
    CHECK(channels_in(read_cache(content(path)).state) == Numbers{1});
    cache.flush();
    CHECK(cache.writes() == 2);
    CHECK(channels_in(read_cache(content(path)).state) == Numbers{1, 2, 3});
}

TEST_CASE("a group that was told as a number takes no name's place") {
    CHECK(plain_name(*radio::parse_radio_name("239.108.155.32:5006,eth0")).empty());
    CHECK(plain_name(*radio::parse_radio_name("siglo")) == "siglo.local");
}

TEST_CASE("a place that cannot be written to is told once") {
    const Folder folder;
    put(folder.path + "/file", "");
    std::vector<std::string> said;
    Loop loop;
    StateCache cache(loop, folder.path + "/file/radio.json", [&](const std::string& text) { said.push_back(text); });
    for (int i = 0; i < 3; ++i) {
        cache.learn_name("n" + std::to_string(i), group);
        cache.flush();
        run_for(loop, Duration{20'000'000});
    }
    REQUIRE(said.size() == 1);
    CHECK(said[0].find("cannot be written") != std::string::npos);
    CHECK(said[0].find("Not a directory") != std::string::npos);
}

TEST_CASE("a group that nobody answered for is kept, marked old, until it speaks again") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    const Sample s = sample();
    {
        Loop loop;
        StateCache cache(loop, path, [](const std::string&) {});
        cache.learn_radio(group, named("siglo.local"));
        cache.learn_channel(group, source, s.packet, s.status);
        cache.mark_old(group);
        cache.mark_old(Endpoint::from_v4(0xEF000001, 5006));  // nobody knows it
    }
    Loop loop;
    StateCache cache(loop, path, [](const std::string&) {});
    const auto channel = [&] {
        const auto& radios = cache.state().radios;
        REQUIRE(radios.size() == 1);
        REQUIRE(radios.begin()->second.channels.size() == 1);
        return radios.begin()->second.channels.begin()->second;
    };
    CHECK(channel().is_old);
    CHECK(channel().status == s.packet);
    cache.learn_channel(group, source, s.packet, s.status);
    CHECK_FALSE(channel().is_old);
}

TEST_CASE("a cache that cannot be written is told at its end at the latest, once") {
    const Folder folder;
    std::vector<std::string> said;
    {
        Loop loop;  // which nobody runs
        // A file stands where its folder should be.
        put(folder.path + "/file", "x");
        StateCache cache(loop, folder.path + "/file/radio.json",
                         [&](const std::string& text) { said.push_back(text); });
        cache.learn_name("siglo.local", group);
        cache.flush();
        CHECK(said.size() == 1);
        cache.learn_name("other.local", group);
    }
    REQUIRE(said.size() == 1);
    CHECK(said[0].find("cannot be written") != std::string::npos);
}

TEST_CASE("a cache is never longer than what is read again, and loses what was heard longest ago") {
    CacheState state;
    CachedRadio& radio = state.radios["239.1.2.3:5006"];
    Sample s = sample();
    const std::int64_t now_s = 1'800'000'000;
    radio.seen_s = now_s;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        CachedChannel& c = radio.channels[i];
        c.source = source;
        c.heard_s = now_s - 1000 + static_cast<std::int64_t>(i);
        c.status = s.packet;
        c.status[3] = static_cast<std::uint8_t>(i >> 8);
        c.status[4] = static_cast<std::uint8_t>(i);
    }
    bound_cache(state, 100'000);
    const std::string text = cache_text(state);
    CHECK(text.size() <= 100'000);
    CHECK(text.size() >= 50'000);
    CHECK(radio.channels.count(999) == 1);
    CHECK(radio.channels.count(0) == 0);
    const std::size_t kept = radio.channels.size();
    CHECK(radio.channels.begin()->first == 1000 - kept);
    bound_cache(state, 100'000);
    CHECK(radio.channels.size() == kept);
}

TEST_CASE("a name is learned where the resolver told its group, and without the port that was asked for") {
    const Folder folder;
    Loop loop;
    StateCache cache(loop, folder.path + "/radio.json", [](const std::string&) {});
    using How = FoundGroup::How;
    const auto learn = [&](const char* text, How how) {
        const auto name = *radio::parse_radio_name(text);
        Endpoint at = group;
        if (name.port != 0) at.port = name.port;
        learn_group(cache, name, {at, how, {}});
        return cache.group_of(name.host);
    };
    CHECK_FALSE(learn("guess", How::computed));
    CHECK_FALSE(learn("239.1.2.3", How::literal));
    CHECK(learn("siglo:5016", How::looked_up) == group);
}
