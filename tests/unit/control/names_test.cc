// SPDX-License-Identifier: MIT
// Work beside the loop: the worker, names and their addresses, radiods' groups, and who listens to what.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "platform/control/listeners.h"
#include "platform/control/radio/dns_sd.h"
#include "platform/control/radio/radio_names.h"
#include "platform/linux/clock.h"

using namespace hawser;
using namespace hawser::control;

namespace {

// Runs the loop until the condition holds; false after 10 s.
template <class Condition>
bool comes_true(Loop& loop, Condition condition) {
    const Instant end = os::now() + Duration{10'000'000'000};
    Timer timer;
    const auto step = [&] {
        timer.acknowledge();
        if (condition() || os::now() > end) return loop.quit(0);
        timer.set(os::now() + Duration{1'000'000});
    };
    loop.watch(timer.fd(), step);
    timer.set(os::now());
    loop.run();
    loop.unwatch(timer.fd());
    return condition();
}

Resolution found(const std::string& host, std::uint32_t address) {
    Resolution out;
    out.host = host;
    out.resolved.count = 1;
    out.resolved.addresses[0] = Endpoint::from_v4(address, 0);
    return out;
}
Resolution missing(const std::string& host) {
    Resolution out;
    out.host = host;
    out.error = "Name or service not known";
    out.is_final = true;
    return out;
}

}  // namespace

TEST_CASE("jobs run beside the loop, what they answer runs on it, and a full queue refuses") {
    Loop loop;
    const auto loop_thread = std::this_thread::get_id();
    std::atomic<bool> is_held{true};
    std::thread::id job_thread;
    std::thread::id done_thread;
    Worker worker(loop, "test", 1, 2);
    REQUIRE(worker.post([&]() -> Worker::Done {
        job_thread = std::this_thread::get_id();
        while (is_held) std::this_thread::yield();
        return [&] { done_thread = std::this_thread::get_id(); };
    }));
    // Two wait behind it, whether it has begun or not; no more than that.
    bool is_full = false;
    for (int i = 0; i < 3; ++i) is_full = !worker.post([]() -> Worker::Done { return {}; }) || is_full;
    CHECK(is_full);
    is_held = false;
    CHECK(comes_true(loop, [&] { return done_thread != std::thread::id(); }));
    CHECK(done_thread == loop_thread);
    CHECK(job_thread != loop_thread);
}

TEST_CASE("finish waits for all that was posted, and the end for nothing") {
    Loop loop;
    static std::atomic<int> ran;
    static std::atomic<bool> is_held;
    static std::atomic<bool> is_over;
    ran = 0;
    {
        Worker worker(loop, "test", 2);
        for (int i = 0; i < 20; ++i)
            REQUIRE(worker.post([]() -> Worker::Done {
                ++ran;
                return {};
            }));
        worker.finish();
        CHECK(ran == 20);
        is_held = true;
        is_over = false;
        REQUIRE(worker.post([]() -> Worker::Done {
            ++ran;
            while (is_held) std::this_thread::yield();
            is_over = true;
            return {};
        }));
        while (ran < 21) std::this_thread::yield();
    }
    CHECK_FALSE(is_over);
    is_held = false;
    while (!is_over) std::this_thread::yield();
}

TEST_CASE("a name is looked up once while its answer is good, and all who ask are told") {
    Loop loop;
    std::atomic<int> calls{0};
    Names names(loop, [&](const std::string& host) {
        ++calls;
        return found(host, 0xEF010203);
    });
    int told = 0;
    for (int i = 0; i < 5; ++i)
        names.ask("hf.local", [&](const Resolution& r) { told += r.resolved.count == 1 ? 1 : 0; });
    CHECK(told == 0);
    REQUIRE(comes_true(loop, [&] { return told == 5; }));
    names.ask("hf.local", [&](const Resolution&) { ++told; });
    CHECK(told == 6);  // at once
    CHECK(calls == 1);
    CHECK(names.lookups() == 1);
}

TEST_CASE("a lookup that hangs leaves other names alone, and too many are refused at once") {
    Loop loop;
    static std::atomic<bool> is_held;
    is_held = true;
    Names names(loop, [](const std::string& host) {
        while (is_held && host == "slow") std::this_thread::yield();
        return missing(host);
    });
    int slow = 0;
    int quick = 0;
    std::string refusal;
    names.ask("slow", [&](const Resolution&) { ++slow; });
    names.ask("quick", [&](const Resolution& r) { quick += r.is_final ? 1 : 0; });
    REQUIRE(comes_true(loop, [&] { return quick == 1; }));
    CHECK(slow == 0);
    for (std::size_t i = 0; i < Names::asked_max + 1; ++i)
        names.ask("n" + std::to_string(i), [&](const Resolution& r) { refusal = r.error; });
    CHECK(refusal == "too many names are being looked up, or no thread can be had for it");
    is_held = false;
}

TEST_CASE("a radiod's group is the address, what its name resolves to, or what radiod computes") {
    using How = FoundGroup::How;
    static std::atomic<bool> is_held;
    is_held = false;
    const auto find = [](const char* text) {
        Loop loop;
        Names names(loop, [](const std::string& host) {
            while (is_held) std::this_thread::yield();
            if (host == "mdns.local") return found(host, 0xEF010203);
            if (host == "www.local") return found(host, 0x0A000001);
            return missing(host);
        });
        RadioNames radio_names(loop, names);
        std::vector<FoundGroup> answers;
        radio_names.find(*radio::parse_radio_name(text), [&](const FoundGroup& g) { answers.push_back(g); });
        REQUIRE(comes_true(loop, [&] { return !answers.empty(); }));
        REQUIRE(answers.size() == 1);
        return answers[0];
    };
    const FoundGroup literal = find("239.9.8.7:5009");
    CHECK((literal.how == How::literal && literal.group == Endpoint::from_v4(0xEF090807, 5009)));
    const FoundGroup resolved = find("mdns");
    CHECK((resolved.how == How::looked_up && resolved.group == Endpoint::from_v4(0xEF010203, 5006)));
    const FoundGroup unknown = find("siglo");
    CHECK((unknown.how == How::computed && unknown.group == Endpoint::from_v4(0xEF6C9B20, 5006)));
    CHECK(unknown.text() == "239.108.155.32:5006, computed from the name: Name or service not known");
    const FoundGroup unicast = find("www");
    CHECK((unicast.how == How::computed && unicast.why == "10.0.0.1 is no multicast group"));
    is_held = true;
    const Instant begun = os::now();
    const FoundGroup hanging = find("mdns");
    CHECK((hanging.how == How::computed && hanging.why == "no answer to the lookup"));
    CHECK(os::now() - begun >= RadioNames::lookup_limit);
    is_held = false;
}

TEST_CASE("an announced group counts once by interface, and off the loopback where it can be had") {
    std::vector<RadioInstance> all;
    const Endpoint group = Endpoint::from_v4(0xEF010203, 5006);
    add_instance(all, {"HF", "hf.local", group, "lo"});
    add_instance(all, {"HF", "hf.local", group, "eth0"});
    add_instance(all, {"HF", "hf.local", group, "eth1"});  // of one name, on another network
    add_instance(all, {"HF", "hf.local", group, "lo"});
    add_instance(all, {"HF again", "hf.local", group, "eth1"});
    add_instance(all, {"VHF", "vhf.local", Endpoint::from_v4(0xEF010204, 5006), "lo"});
    REQUIRE(all.size() == 3);
    CHECK(all[0].interface == "eth0");
    CHECK(all[1].interface == "eth1");
    CHECK(all[1].description == "HF");
    CHECK(all[2].interface == "lo");
}

TEST_CASE("a listener is told once however often it is added, and no more when removed") {
    Listeners<int> listeners;
    int a = 0;
    int b = 0;
    CHECK(listeners.add(&a, [&](int n) { a += n; }));
    CHECK_FALSE(listeners.add(&a, [&](int n) { a += 100 * n; }));
    CHECK(listeners.add(&b, [&](int n) {
        b += n;
        listeners.remove(&b);
    }));
    listeners.tell(1);
    listeners.tell(2);
    CHECK(a == 3);
    CHECK(b == 1);
    CHECK(listeners.size() == 1);
    CHECK(listeners.remove(&a));
    CHECK_FALSE(listeners.remove(&a));
    listeners.tell(4);
    CHECK(a == 3);
}
