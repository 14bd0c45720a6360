// SPDX-License-Identifier: MIT
// A peer's name beside the loop: who is asked when, and whose answer counts; with lookups that answer when they are
// let.
#include <catch2/catch.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "platform/control/name_lookup.h"
#include "platform/linux/clock.h"

using namespace hawser;
using namespace hawser::control;
using By = NameLookup::By;

namespace {

Resolution found(const std::string& host, std::uint16_t port, std::uint32_t address) {
    Resolution out;
    out.host = host;
    out.add(Endpoint::from_v4(address, port));
    return out;
}

Resolution failed(const std::string& host, const std::string& error, bool is_final) {
    Resolution out;
    out.host = host;
    out.error = error;
    out.is_final = is_final;
    return out;
}

// Two ways that answer as they are told; both hold an answer back while they are held.
struct LookupDesk {
    Loop loop;
    std::atomic<bool> system_held{false};
    std::atomic<int> system_calls{0};
    std::atomic<int> link_calls{0};
    Resolution of_system = failed("relay", "Temporary failure", false);
    Resolution of_links = found("relay", 5000, 0x0A000002);
    std::vector<LookupWay> ways{{"wwan0", {}, {}}};
    std::vector<Resolution> answers;
    std::optional<NameLookup> lookup;

    LookupDesk() {
        lookup.emplace(
            loop, [this] { return ways; },
            [this](const Resolution& r) {
                answers.push_back(r);
                loop.quit(0);
            },
            NameLookup::Means{[this](const std::string&, std::uint16_t) {
                                  ++system_calls;
                                  while (system_held) std::this_thread::yield();
                                  return of_system;
                              },
                              [this](const std::string&, std::uint16_t, const std::vector<LookupWay>&) {
                                  ++link_calls;
                                  return of_links;
                              }});
    }

    Resolution ask(By by) {
        const std::size_t before = answers.size();
        lookup->ask({"relay", 5000, by});
        loop.run();
        REQUIRE(answers.size() == before + 1);
        return answers.back();
    }
    // Lets a held one end, and takes what it says.
    void release() {
        system_held = false;
        Timer timer;
        loop.watch(timer.fd(), [this] { loop.quit(0); });
        timer.set(os::now() + Duration{100'000'000});
        loop.run();
        loop.unwatch(timer.fd());
    }
    // Does something meanwhile, while a question is asked; ends the wait where that is in vain.
    Resolution ask_and(By by, Duration after, const std::function<void()>& then) {
        Timer timer, limit;
        loop.watch(timer.fd(), [&] {
            timer.acknowledge();
            then();
        });
        loop.watch(limit.fd(), [this] { loop.quit(1); });
        timer.set(os::now() + after);
        limit.set(os::now() + Duration{15'000'000'000});
        const Resolution answer = ask(by);
        loop.unwatch(timer.fd());
        loop.unwatch(limit.fd());
        return answer;
    }
};

}  // namespace

TEST_CASE("the system's answer is enough: no uplink is asked") {
    LookupDesk desk;
    desk.of_system = found("relay", 5000, 0x0A000001);
    const Resolution answer = desk.ask(By::system_then_links);
    CHECK(answer.resolved.addresses[0] == Endpoint::from_v4(0x0A000001, 5000));
    CHECK(desk.link_calls == 0);
}

TEST_CASE("where the system's resolver fails the uplinks are asked at once") {
    LookupDesk desk;
    const Instant begun = os::now();
    const Resolution answer = desk.ask(By::system_then_links);
    CHECK(answer.resolved.addresses[0] == Endpoint::from_v4(0x0A000002, 5000));
    CHECK(os::now() - begun < NameLookup::head_start);
}

TEST_CASE("a resolver that hangs holds nobody for longer than its head start, and its late word counts for nothing") {
    LookupDesk desk;
    desk.of_system = found("relay", 5000, 0x0A000001);
    desk.system_held = true;
    const Instant begun = os::now();
    const Resolution answer = desk.ask(By::system_then_links);
    CHECK(answer.resolved.addresses[0] == Endpoint::from_v4(0x0A000002, 5000));
    CHECK(os::now() - begun >= NameLookup::head_start);
    CHECK(os::now() - begun < NameLookup::head_start + Duration{3'000'000'000});
    desk.release();
    CHECK(desk.answers.size() == 1);
}

TEST_CASE("while the system's resolver hangs it is asked one question alone") {
    LookupDesk desk;
    desk.system_held = true;
    static_cast<void>(desk.ask(By::system_then_links));
    static_cast<void>(desk.ask(By::system_then_links));
    CHECK(desk.system_calls == 1);
    CHECK(desk.link_calls == 2);
    desk.release();
}

TEST_CASE("while the system's resolver hangs, an uplink that comes is asked") {
    LookupDesk desk;
    desk.system_held = true;
    desk.ways.clear();
    const Resolution answer = desk.ask_and(By::system_then_links, NameLookup::head_start + Duration{200'000'000}, [&] {
        desk.ways = {{"wwan1", {}, {}}};
    });
    CHECK(answer.is_good());
    CHECK(desk.link_calls == 1);
    desk.release();
}

TEST_CASE("where the system's resolver hangs, what the uplinks say is an answer, and never the last word") {
    LookupDesk desk;
    desk.system_held = true;
    desk.of_links = failed("relay", "wwan0: 10.0.0.1 knows no such name", true);
    const Resolution answer = desk.ask_and(By::system_then_links, Duration{}, [] {});
    CHECK(answer.error == "wwan0: 10.0.0.1 knows no such name");
    CHECK_FALSE(answer.is_final);
    // The next question is answered by what it says at last.
    desk.of_system = found("relay", 5000, 0x0A000001);
    const Resolution late =
        desk.ask_and(By::system_then_links, Duration{100'000'000}, [&] { desk.system_held = false; });
    CHECK(late.resolved.addresses[0] == Endpoint::from_v4(0x0A000001, 5000));
    CHECK(desk.system_calls == 1);
    CHECK(desk.ask(By::links).is_final);
}

TEST_CASE("a resolver that is slower than the uplinks' failure is heard all the same") {
    LookupDesk desk;
    desk.of_system = found("relay", 5000, 0x0A000001);
    desk.of_links = failed("relay", "wwan0: 10.0.0.1 knows no such name", true);
    desk.system_held = true;
    CHECK_FALSE(desk.ask(By::system_then_links).is_good());
    desk.release();
    REQUIRE(desk.answers.size() == 2);
    CHECK(desk.answers[1].resolved.addresses[0] == Endpoint::from_v4(0x0A000001, 5000));
    // One that is waited for gives the only answer.
    desk.system_held = true;
    Timer timer;
    desk.loop.watch(timer.fd(), [&] { desk.system_held = false; });
    timer.set(os::now() + NameLookup::head_start + Duration{500'000'000});
    desk.lookup->ask({"relay", 5000, By::system_then_links, true});
    while (desk.answers.size() == 2) desk.loop.run();
    CHECK(desk.answers[2].is_good());
    desk.loop.unwatch(timer.fd());
}

TEST_CASE("without a thread to ask on a question fails, an address is its own answer, and the program goes on") {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);
        if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(3);
        const rlimit none{};
        if (::setrlimit(RLIMIT_NPROC, &none) != 0) ::_exit(3);
        LookupDesk desk;
        bool all_fail = true;
        for (const By by : {By::system, By::links, By::system_then_links}) {
            desk.lookup->ask({"relay", 5000, by});
            const std::size_t before = desk.answers.size();
            desk.loop.run();
            all_fail = all_fail && desk.answers.size() == before + 1 && !desk.answers.back().is_good() &&
                       !desk.answers.back().is_final;
        }
        const bool nobody_asked = desk.system_calls == 0 && desk.link_calls == 0;
        desk.of_system = found("127.0.0.1", 5000, 0x7F000001);
        desk.lookup->ask({"127.0.0.1", 5000, By::system_then_links});
        const std::size_t before = desk.answers.size();
        desk.loop.run();
        const bool is_known = desk.answers.size() == before + 1 && desk.answers.back().is_good();
        ::_exit(all_fail && nobody_asked && is_known ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 3)
        WARN("not tried: this process may not become another user, or not limit itself");
    else
        CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a failure names what each way said, and is final when all of them say so") {
    LookupDesk desk;
    desk.of_system = failed("relay", "Name or service not known", true);
    desk.of_links = failed("relay", "wwan0: 10.0.0.1 does not answer", false);
    Resolution answer = desk.ask(By::system_then_links);
    CHECK(answer.error == "the system's resolver: Name or service not known; wwan0: 10.0.0.1 does not answer");
    CHECK_FALSE(answer.is_final);

    desk.of_links = failed("relay", "wwan0: 10.0.0.1 knows no such name", true);
    CHECK(desk.ask(By::system_then_links).is_final);

    desk.of_links = failed("relay", "wwan0: no name server is known for it", false);
    desk.of_links.could_ask = false;
    CHECK(desk.ask(By::system_then_links).is_final);

    desk.of_system.is_final = false;
    CHECK_FALSE(desk.ask(By::system_then_links).is_final);
}

TEST_CASE("without an uplink to ask by the system's word stands as it is") {
    LookupDesk desk;
    desk.ways.clear();
    CHECK(desk.ask(By::system_then_links).error == "Temporary failure");
    CHECK(desk.link_calls == 0);
}

TEST_CASE("the system alone, or the uplinks alone, where that was said") {
    LookupDesk desk;
    CHECK(desk.ask(By::system).error == "Temporary failure");
    CHECK(desk.link_calls == 0);
    const int before = desk.system_calls;
    CHECK(desk.ask(By::links).is_good());
    CHECK(desk.system_calls == before);
}

TEST_CASE("of what is asked meanwhile the newest question comes next") {
    LookupDesk desk;
    for (const std::uint16_t port : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}})
        desk.lookup->ask({"relay", port, By::links});
    while (desk.answers.size() < 2) desk.loop.run();
    desk.release();
    CHECK(desk.answers.size() == 2);
    CHECK(desk.link_calls == 2);
}

TEST_CASE("the end does not wait for a lookup that hangs") {
    static std::atomic<bool> is_held;
    static std::atomic<int> started, finished;
    is_held = true;
    started = finished = 0;
    {
        Loop loop;
        NameLookup lookup(
            loop, [] { return std::vector<LookupWay>(); }, [](const Resolution&) {},
            {[](const std::string& host, std::uint16_t) {
                 ++started;
                 while (is_held) std::this_thread::yield();
                 ++finished;
                 return failed(host, "nobody waits", false);
             },
             resolve_by_links});
        lookup.ask({"relay", 5000, By::system});
        while (started == 0) std::this_thread::yield();
    }  // would never return if it waited
    CHECK(finished == 0);
    is_held = false;
    while (finished == 0) std::this_thread::yield();
}
