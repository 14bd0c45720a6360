// SPDX-License-Identifier: MIT
// The radio control plane on real sockets: RadioLink and Service against the stand-in radiod as a process of its own,
// in a network of this process's own. Each part prints a line of JSON; the exit code is 1 when a part misses its goal.
//   tune    one command after the other: how long after the reply's arrival (the kernel's stamp) it is done
//   dead    one command to nobody: packets, and wake-ups that were neither a packet nor a timer that was due
//   list    nine channels: from the poll until all nine were heard
//   ensure  a new process's first channel, with 16 on the air and a warm cache: made new, and found again
//   many    500 channels at once, round after round: the longest round, and descriptors before and after
// usage: radio-live STAND_IN [PART...] [--count N] [--lax]   (lax: only counts are goals, not times)
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/radio/address.h"
#include "perf/bond/own_network.h"
#include "perf/wire/statistics.h"
#include "platform/control/radio/radio_calls.h"
#include "platform/control/radio/radio_link.h"
#include "platform/linux/clock.h"

using namespace hawser;
using radio::RadioEvent;
using Kind = radio::RadioEventKind;

namespace {

const char* stand_in_path = "";
bool has_missed = false;
bool is_lax = false;

control::GroupSpec status_group() {
    control::GroupSpec spec;
    spec.group = Endpoint::from_v4(radio::status_group_of_name("bench"), radio::status_port);
    spec.interface = "lo";
    return spec;
}

[[noreturn]] void die(const std::string& text) {
    std::fprintf(stderr, "radio-live: %s\n", text.c_str());
    std::exit(1);
}

double ms(Duration d) { return static_cast<double>(d.ns) / 1e6; }
void goal(bool is_met) { has_missed = has_missed || !is_met; }
// Of a time, which a machine with other work may miss.
void goal_in_time(bool is_met) { goal(is_met || is_lax); }

// The stand-in, without media, from when it listens until the block ends.
class Radiod {
public:
    Radiod() {
        int out[2];
        if (pipe(out) != 0) die("pipe");
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            dup2(out[1], 1);
            execl(stand_in_path, stand_in_path, "--status", "bench", "--media", "off", nullptr);
            _exit(127);
        }
        close(out[1]);
        char byte = 0;
        if (read(out[0], &byte, 1) != 1) die("the stand-in does not start");
        close(out[0]);
    }
    ~Radiod() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    Radiod(const Radiod&) = delete;
    Radiod& operator=(const Radiod&) = delete;

private:
    pid_t pid_ = -1;
};

// As a program has it: loop, service, link, and a handler of events.
struct Client {
    explicit Client(const std::string& cache_path = "")
        : service({}, Random(static_cast<std::uint64_t>(os::now().ns))),
          link(
              loop, service, 0,
              [this](const RadioEvent& e) {
                  if (handler) handler(e);
              },
              [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }) {
        if (!cache_path.empty()) {
            cache = std::make_unique<control::StateCache>(loop, cache_path, [](const std::string&) {});
            link.remember_in(*cache);
        }
        const auto added = link.add(status_group(), "bench.local");
        if (!added) die(added.error().text());
        radio = *added;
    }
    template <class Handler>
    void run(Handler on_event) {
        handler = on_event;
        link.pump();
        loop.run();
        handler = nullptr;
    }
    control::Loop loop;
    std::unique_ptr<control::StateCache> cache;
    radio::Service service;
    std::function<void(const RadioEvent&)> handler;
    control::RadioLink link;
    radio::RadioId radio;
};

radio::ChannelSpec usb(double frequency) {
    radio::ChannelSpec spec;
    spec.frequency = frequency;
    spec.preset = "usb";
    return spec;
}

// Hears what the client hears, and knows when the kernel got it.
class Observer {
public:
    Observer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(status_group().group.v4());
        a.sin_port = htons(radio::status_port);
        if (bind(fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) die("the observer cannot bind");
        const ip_mreq group{a.sin_addr, {htonl(INADDR_LOOPBACK)}};
        setsockopt(fd_, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
    }
    ~Observer() { close(fd_); }
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;

    // When the last status came, on the wall clock; reads all there is.
    std::int64_t last_status_ns() {
        std::int64_t last = 0;
        std::uint8_t room[2048];
        alignas(cmsghdr) char control[256];
        while (true) {
            iovec v{room, sizeof room};
            msghdr h{};
            h.msg_iov = &v;
            h.msg_iovlen = 1;
            h.msg_control = control;
            h.msg_controllen = sizeof control;
            if (recvmsg(fd_, &h, 0) <= 0) return last;
            if (room[0] != 0) continue;
            for (cmsghdr* c = CMSG_FIRSTHDR(&h); c != nullptr; c = CMSG_NXTHDR(&h, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
                timespec t{};
                std::memcpy(&t, CMSG_DATA(c), sizeof t);
                last = std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
            }
        }
    }

private:
    int fd_;
};

std::int64_t wall_ns() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void bench_tune(long count) {
    const Radiod radiod;
    Client client;
    Observer observer;
    std::vector<double> after;  // ms from the reply's arrival
    std::vector<double> took;
    std::uint64_t packets = 0;
    const auto next = [&](long i) {
        static_cast<void>(client.service.tune(client.radio, 1000, radio::command_for(usb(1e6 + static_cast<double>(i))),
                                              0, os::now()));
    };
    next(0);
    const std::uint64_t wakes_before = client.loop.wakes();
    client.run([&](const RadioEvent& e) {
        if (e.kind != Kind::confirmed) return;
        const std::int64_t now = wall_ns();
        after.push_back(static_cast<double>(now - observer.last_status_ns()) / 1e6);
        took.push_back(ms(e.took));
        packets += e.packets;
        if (static_cast<long>(took.size()) == count) return client.loop.quit(0);
        next(static_cast<long>(took.size()));
    });
    const double middle = perf::median(after);
    goal_in_time(middle < 1 && packets == static_cast<std::uint64_t>(count));
    std::printf(
        "{\"part\":\"tune\",\"count\":%ld,\"after_reply_ms\":{\"median\":%.3f,\"p99\":%.3f,\"max\":%.3f},"
        "\"whole_ms\":{\"median\":%.1f,\"p99\":%.1f},\"packets_per_tune\":%.3f,\"wakes_per_tune\":%.3f}\n",
        count, middle, perf::quantile(after, 0.99), perf::quantile(after, 1.0), perf::median(took),
        perf::quantile(took, 0.99), static_cast<double>(packets) / static_cast<double>(count),
        static_cast<double>(client.loop.wakes() - wakes_before) / static_cast<double>(count));
}

void bench_dead() {
    Client client;
    static_cast<void>(client.service.tune(client.radio, 1000, radio::command_for(usb(1e6)), 0, os::now()));
    std::uint32_t packets = 0;
    double took = 0;
    const std::uint64_t before = client.loop.wakes();
    client.run([&](const RadioEvent& e) {
        if (e.kind != Kind::expired) return;
        packets = e.packets;
        took = ms(e.took);
        client.loop.quit(0);
    });
    // Each packet that is sent comes back by the group; each repetition and the end are a timer.
    const std::uint64_t wakes = client.loop.wakes() - before;
    const std::uint64_t due = 2 * std::uint64_t{packets};
    goal(packets <= 9);
    goal(wakes <= due);
    std::printf("{\"part\":\"dead\",\"packets\":%u,\"ms\":%.0f,\"wakes\":%llu,\"wakes_for_packets_and_timers\":%llu}\n",
                packets, took, static_cast<unsigned long long>(wakes), static_cast<unsigned long long>(due));
}

// `count` channels on the air, and none but they.
void make_channels(Client& client, std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i)
        static_cast<void>(client.service.tune(client.radio, first + i,
                                              radio::command_for(usb(1e6 + 1000.0 * (first + i))), 0, os::now()));
    std::uint32_t open = count;
    client.run([&](const RadioEvent& e) {
        if (e.kind == Kind::confirmed && --open == 0) client.loop.quit(0);
    });
}

void bench_list(long count) {
    const Radiod radiod;
    Client client;
    make_channels(client, 1000, 9);
    std::vector<double> heard;
    std::vector<double> over;
    for (long i = 0; i < count; ++i) {
        const Instant begun = os::now();
        Instant last;
        std::set<std::uint32_t> seen;
        client.link.on_status([&](radio::RadioId, const Endpoint&, const radio::Status& status) {
            if (seen.insert(status.channel.ssrc).second) last = os::now();
        });
        client.service.discover(client.radio, begun);
        client.run([&](const RadioEvent& e) {
            if (e.kind == Kind::list_done) client.loop.quit(0);
        });
        goal(seen.size() == 9);
        heard.push_back(ms(last - begun));
        over.push_back(ms(os::now() - begun));
    }
    goal_in_time(perf::quantile(heard, 1.0) <= 150);
    std::printf(
        "{\"part\":\"list\",\"count\":%ld,\"nine_heard_ms\":{\"median\":%.1f,\"max\":%.1f},"
        "\"over_ms\":{\"median\":%.1f,\"max\":%.1f}}\n",
        count, perf::median(heard), perf::quantile(heard, 1.0), perf::median(over), perf::quantile(over, 1.0));
}

// Everything that a new process does, from its cache to the verified channel.
double ensure_once(const std::string& cache, std::uint32_t ssrc, double frequency, bool& reused) {
    const Instant begun = os::now();
    Client client(cache);
    control::RadioCalls calls(client.link, client.service);
    double took = 0;
    const auto asked = calls.ensure(client.radio, ssrc, usb(frequency), [&](const control::RadioAnswer& a) {
        goal(a.outcome == control::RadioAnswer::Outcome::done);
        took = ms(os::now() - begun);
        reused = a.reused;
        client.loop.quit(0);
    });
    if (!asked) die("ensure is refused");
    client.loop.run();
    return took;
}

void bench_ensure(long count) {
    const Radiod radiod;
    const std::string cache = "/tmp/hawser-radio-live." + std::to_string(getpid());
    {
        Client client(cache);
        make_channels(client, 1000, 15);
    }
    std::vector<double> made;
    std::vector<double> found;
    for (long i = 0; i < count; ++i) {
        bool reused = true;
        made.push_back(ensure_once(cache, 5000, 20e6, reused));
        goal(!reused);
        found.push_back(ensure_once(cache, 5001, 20e6, reused));
        goal(reused);
        Client client(cache);
        static_cast<void>(client.service.remove(client.radio, 5000, os::now()));
        client.run([&](const RadioEvent& e) {
            if (e.kind == Kind::channel_removed) client.loop.quit(0);
        });
        usleep(120'000);  // its lifetime of 4 blocks
    }
    unlink(cache.c_str());
    goal_in_time(perf::median(made) < 100 && perf::median(found) < 60);
    std::printf(
        "{\"part\":\"ensure\",\"count\":%ld,\"new_ms\":{\"median\":%.1f,\"max\":%.1f},"
        "\"reuse_ms\":{\"median\":%.1f,\"max\":%.1f}}\n",
        count, perf::median(made), perf::quantile(made, 1.0), perf::median(found), perf::quantile(found, 1.0));
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* folder = opendir("/proc/self/fd");
    while (folder != nullptr && readdir(folder) != nullptr) ++count;
    if (folder != nullptr) closedir(folder);
    return count;
}

void bench_many(long rounds) {
    const Radiod radiod;
    Client client;
    make_channels(client, 1000, 1);
    const std::size_t before = open_descriptors();
    std::vector<double> took;
    std::uint64_t confirmed = 0;
    const std::uint64_t packets_before = client.service.tuner().figures().packets;
    for (long round = 0; round < rounds; ++round) {
        const Instant begun = os::now();
        for (std::uint32_t i = 0; i < 500; ++i)
            static_cast<void>(client.service.tune(
                client.radio, 1000 + i, radio::command_for(usb(1e6 + static_cast<double>(round))), 0, os::now()));
        std::uint32_t open = 500;
        client.run([&](const RadioEvent& e) {
            confirmed += e.kind == Kind::confirmed ? 1 : 0;
            if ((e.kind == Kind::confirmed || e.kind == Kind::expired) && --open == 0) client.loop.quit(0);
        });
        took.push_back(ms(os::now() - begun));
    }
    const std::size_t after = open_descriptors();
    const auto tunes = static_cast<std::uint64_t>(rounds) * 500;
    goal(confirmed == tunes && before == after);
    goal_in_time(perf::quantile(took, 1.0) < 1000);
    std::printf(
        "{\"part\":\"many\",\"tunes\":%llu,\"confirmed\":%llu,\"round_ms\":{\"median\":%.1f,\"max\":%.1f},"
        "\"packets_per_tune\":%.3f,\"descriptors_before\":%zu,\"descriptors_after\":%zu}\n",
        static_cast<unsigned long long>(tunes), static_cast<unsigned long long>(confirmed), perf::median(took),
        perf::quantile(took, 1.0),
        static_cast<double>(client.service.tuner().figures().packets - packets_before) / static_cast<double>(tunes),
        before, after);
}

}  // namespace

int main(int argc, char** argv) {
    std::set<std::string> parts;
    long count = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--count" && i + 1 < argc)
            count = std::strtol(argv[++i], nullptr, 10);
        else if (word == "--lax")
            is_lax = true;
        else if (stand_in_path[0] == '\0')
            stand_in_path = argv[i];
        else
            parts.insert(word);
    }
    if (stand_in_path[0] == '\0') die("usage: radio-live STAND_IN [tune|dead|list|ensure|many ...] [--count N]");
    if (const auto entered = perf::enter_own_network(); !entered) {
        std::printf("%s\n", entered.error().c_str());
        return 77;
    }
    setvbuf(stdout, nullptr, _IOLBF, 0);
    const auto wants = [&](const char* part) { return parts.empty() || parts.count(part) != 0; };
    const auto times = [&](long usual) { return count > 0 ? count : usual; };
    if (wants("tune")) bench_tune(times(200));
    if (wants("dead")) bench_dead();
    if (wants("list")) bench_list(times(20));
    if (wants("ensure")) bench_ensure(times(100));
    if (wants("many")) bench_many(times(20));
    return has_missed ? 1 : 0;
}
