// SPDX-License-Identifier: MIT
// One cache of several processes, and of a clock that is set.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "tests/unit/control/cache_bench.h"

using namespace hawser;
using namespace hawser::control;
using namespace hawser::cache_test;

TEST_CASE("two that share a cache keep what each learned") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    const auto ignore = [](const std::string&) {};
    Loop loop;
    StateCache one(loop, path, ignore);
    StateCache two(loop, path, ignore);
    one.learn_radio(group, named("one"));
    two.learn_radio(Endpoint::from_v4(0xEF010203, 5006), named("two"));
    one.flush();
    two.flush();
    const StateCache both(loop, path, ignore);
    CHECK(both.state().radios.size() == 2);
}

TEST_CASE("of a radiod that two share, the channels of both stay") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Loop loop;
    StateCache one(loop, path, ignore);
    StateCache two(loop, path, ignore);
    learn(one, 1000);
    learn(two, 2000);
    one.flush();
    two.flush();
    CHECK(channels_in(StateCache(loop, path, ignore).state()) == Numbers{1000, 2000});
}

TEST_CASE("a channel that one has seen go is not brought back by another who has not, but by whoever hears it again") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Clock clock;
    Loop loop;
    StateCache one(loop, path, ignore, clock.reader());
    StateCache two(loop, path, ignore, clock.reader());
    learn(one, 1000);
    learn(two, 1000);
    one.flush();
    two.flush();
    clock.now_s += 10;
    one.forget_channel(group, 1000);
    one.flush();
    CHECK(channels_in(read_cache(content(path)).state).empty());
    learn(two, 2000);
    two.flush();
    CHECK(channels_in(read_cache(content(path)).state) == Numbers{2000});
    SECTION("in the second in which it went, by the same") {
        learn(one, 1000);
        one.flush();
        CHECK(channels_in(read_cache(content(path)).state) == Numbers{1000, 2000});
        one.forget_channel(group, 1000);
        one.flush();
        CHECK(channels_in(read_cache(content(path)).state) == Numbers{2000});
    }
    SECTION("later, by the other") {
        clock.now_s += StateCache::refresh_interval_s;
        learn(two, 1000);
        two.flush();
        CHECK(channels_in(read_cache(content(path)).state) == Numbers{1000, 2000});
        CHECK(content(path).find("gone") == std::string::npos);
    }
    SECTION("its end is remembered for as long as anybody's account of it could be used") {
        clock.now_s += channel_good_for_s + clock_error_s;
        learn(two, 2000);
        two.flush();
        CHECK(content(path).find("gone") != std::string::npos);
        clock.now_s += 20;
        two.learn_name("x.local", group);
        two.flush();
        CHECK(channels_in(read_cache(content(path)).state) == Numbers{2000});
        CHECK(content(path).find("gone") == std::string::npos);
    }
}

TEST_CASE("twenty processes that write at once lose nothing of one another") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    std::vector<pid_t> children;
    for (std::uint32_t i = 1; i <= 20; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            {
                Loop loop;
                StateCache cache(loop, path, ignore);
                learn(cache, i);
            }
            ::_exit(0);
        }
        REQUIRE(child > 0);
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        CHECK(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    CHECK(channels_in(read_cache(content(path)).state).size() == 20);
}

TEST_CASE("a lock that nobody gives back delays a write, and does not prevent it") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    const os::Fd held(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::flock(held.get(), LOCK_EX) == 0);
    Loop loop;
    StateCache cache(loop, path, ignore);
    learn(cache, 1000);
    cache.flush();
    CHECK(channels_in(read_cache(content(path)).state) == Numbers{1000});
}

TEST_CASE("a file that a newer hawser wrote meanwhile is left to it") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    std::vector<std::string> said;
    Loop loop;
    StateCache cache(loop, path, [&](const std::string& text) { said.push_back(text); });
    learn(cache, 1000);
    cache.flush();
    const std::string newer = "{\"hawser_radio_cache\": 2}";
    put(path, newer);
    for (std::uint32_t ssrc = 2000; ssrc < 2003; ++ssrc) {
        learn(cache, ssrc);
        cache.flush();
    }
    CHECK(content(path) == newer);
    CHECK(said == std::vector{"the cache " + path + " is not used any more: it is of another version of hawser"});
    CHECK(cache.writes() == 2);
}

TEST_CASE("what is heard all day is young in the file, for six writes an hour") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Clock clock;
    Loop loop;
    StateCache cache(loop, path, ignore, clock.reader());
    const std::int64_t begin_s = clock.now_s;
    while (clock.now_s < begin_s + 25 * hour_s) {
        learn(cache, 1000);
        cache.flush();
        clock.now_s += 5;
    }
    CHECK(cache.writes() <= 25 * 6 + 1);
    CHECK(channels_in(parse_cache(content(path), clock.now_s + day_s - hour_s).state) == Numbers{1000});
}

TEST_CASE("by a clock that is set back or forward, what is heard from then on is in the file at once") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Clock clock;
    Loop loop;
    const std::int64_t step_s = GENERATE(-12 * hour_s, -7 * day_s, 12 * hour_s, 7 * day_s);
    INFO(step_s);
    StateCache cache(loop, path, ignore, clock.reader());
    learn(cache, 1000);
    learn(cache, 1001);
    cache.flush();
    clock.now_s += step_s;
    learn(cache, 1000);
    cache.forget_channel(group, 1001);
    cache.flush();
    const auto usable = parse_cache(content(path), clock.now_s).state;
    REQUIRE(channels_in(usable) == Numbers{1000});
    CHECK(usable.radios.begin()->second.channels.at(1000).heard_s == clock.now_s);
}

TEST_CASE("what the file has of a clock that was ahead yields to what is heard now") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Clock clock;
    Loop loop;
    const std::int64_t ahead_s = GENERATE(12 * hour_s, 30 * day_s);
    INFO(ahead_s);
    clock.now_s += ahead_s;
    {
        StateCache cache(loop, path, ignore, clock.reader());
        learn(cache, 1000);
        learn(cache, 1001);
        cache.learn_radio(group, named("old.local"));
    }
    clock.now_s -= ahead_s;
    StateCache cache(loop, path, ignore, clock.reader());
    const Endpoint moved = Endpoint::from_v4(0x7F000001, 9);
    const Sample s = sample_of(1000);
    cache.learn_radio(group, named("new.local"));
    cache.learn_channel(group, moved, s.packet, s.status);
    learn(cache, 1002);
    cache.forget_channel(group, 1002);
    cache.flush();
    const auto radio = parse_cache(content(path), clock.now_s).state.radios.at(CachedGroup(group).key());
    CHECK(radio.name == "new.local");
    CHECK(radio.channels.at(1000).source == moved);
    CHECK(radio.channels.at(1000).heard_s == clock.now_s);
    CHECK(radio.channels.count(1002) == 0);
    // What nobody has heard since is used where the clock may have been so wrong, and stays where it may be so now.
    CHECK(radio.channels.count(1001) == (ahead_s <= clock_error_s ? 1 : 0));
    CHECK(channels_in(read_cache(content(path)).state) == Numbers{1000, 1001});
}

TEST_CASE("a clock that is behind, as at boot, costs nothing of what was known") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Clock clock;
    Loop loop;
    const std::int64_t right_s = clock.now_s;
    {
        StateCache cache(loop, path, ignore, clock.reader());
        learn(cache, 1000);
        cache.learn_radio(group, named("siglo.local"));
        cache.learn_name("siglo.local", group);
    }
    clock.now_s = GENERATE(std::int64_t{0}, std::int64_t{1'800'000'000} - 7 * day_s);
    {
        StateCache cache(loop, path, ignore, clock.reader());
        CHECK(cache.state().radios.empty());
        cache.learn_radio(Endpoint::from_v4(0xEF010203, 5006), named("other.local"));
        learn(cache, 2000);
    }
    clock.now_s = right_s + 60;
    const StateCache cache(loop, path, ignore, clock.reader());
    CHECK(cache.group_of("siglo.local") == group);
    REQUIRE(cache.state().radios.count(CachedGroup(group).key()) == 1);
    CHECK(cache.state().radios.at(CachedGroup(group).key()).name == "siglo.local");
    CHECK(channels_in(cache.state()) == Numbers{1000});
}

TEST_CASE("a clock that is a day ahead drops nothing that is good by the right one") {
    const Folder folder;
    const std::string path = folder.path + "/radio.json";
    Clock clock;
    Loop loop;
    {
        StateCache cache(loop, path, ignore, clock.reader());
        learn(cache, 1000);
    }
    clock.now_s += 36 * hour_s;
    {
        StateCache cache(loop, path, ignore, clock.reader());
        CHECK(channels_in(cache.state()).empty());
        learn(cache, 2000);
    }
    clock.now_s -= 24 * hour_s;
    CHECK(channels_in(StateCache(loop, path, ignore, clock.reader()).state()) == Numbers{1000, 2000});
}

TEST_CASE("times that no clock shows are as long ago as can be") {
    CacheState state;
    state.radios["239.108.155.32:5006"].seen_s = 1000;
    const Sample s = sample();
    state.radios["239.108.155.32:5006"].channels[s.status.channel.ssrc] = {source, 1000, s.packet, 0};
    std::string text = cache_text(state);
    const std::string time = GENERATE("9223372036854775807", "18446744073709551615", "-9223372036854775808", "1e300");
    for (std::size_t at = text.find(":1000"); at != text.npos; at = text.find(":1000")) text.replace(at + 1, 4, time);
    CHECK(parse_cache(text, 1'800'000'000).state.radios.empty());
    CacheState own;
    merge_cache(own, read_cache(text).state, 1'800'000'000);
    CHECK(own.radios.empty());
}
