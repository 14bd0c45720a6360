// SPDX-License-Identifier: MIT
// Names asked of servers through uplinks, on loopback: servers that answer, are silent, lie or talk nonsense.
#include <catch2/catch.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>

#include "platform/control/links/link_lookup.h"
#include "platform/control/links/name_servers.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/socket.h"

using namespace hawser;
using namespace hawser::control;

namespace {

using Packet = std::string;
// What the server makes of a question; empty: nothing.
using Law = std::function<Packet(const Packet& question)>;

// The header of an answer with that code and count of records, and the question as it was asked.
Packet answer_to(const Packet& question, int code, int records) {
    Packet out = question;
    out[2] = static_cast<char>(0x81);
    out[3] = static_cast<char>(0x80 | code);
    out[7] = static_cast<char>(records);
    return out;
}

bool asks_for_v4(const Packet& question) { return question[question.size() - 3] == 1; }

// Of type A, with the address in host byte order; nothing of type AAAA.
Law tells(std::uint32_t address) {
    return [address](const Packet& question) {
        if (!asks_for_v4(question)) return answer_to(question, 0, 0);
        Packet out = answer_to(question, 0, 1);
        out += Packet("\xC0\x0C\x00\x01\x00\x01\x00\x00\x00\x3C\x00\x04", 12);
        for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(address >> shift);
        return out;
    };
}

Law says(int code) {
    return [code](const Packet& question) { return answer_to(question, code, 0); };
}

const Law says_nothing = [](const Packet&) { return Packet(); };

// A name server on loopback, on a thread of its own for as long as it lives.
class Server {
public:
    explicit Server(Law law) : law_(std::move(law)) {
        SocketSpec spec;
        spec.local = Endpoint::from_v4(0x7F000001, 0);
        auto opened = os::open_udp(spec);
        REQUIRE(opened);
        socket_ = std::move(*opened);
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        is_over_ = true;
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    [[nodiscard]] Endpoint at() const { return socket_.local; }
    [[nodiscard]] int asked() const { return asked_; }

private:
    void serve() {
        while (!is_over_) {
            pollfd p{socket_.fd.get(), POLLIN, 0};
            if (::poll(&p, 1, 20) != 1) continue;
            std::array<char, 512> bytes;
            os::SocketAddress from{};
            socklen_t length = sizeof from;
            const ssize_t n = ::recvfrom(socket_.fd.get(), bytes.data(), bytes.size(), 0, &from.generic, &length);
            if (n < 17) continue;
            ++asked_;
            const Packet reply = law_(Packet(bytes.data(), static_cast<std::size_t>(n)));
            if (!reply.empty()) ::sendto(socket_.fd.get(), reply.data(), reply.size(), 0, &from.generic, length);
        }
    }

    Law law_;
    os::OpenedSocket socket_;
    std::atomic<bool> is_over_{false};
    std::atomic<int> asked_{0};
    std::thread thread_;
};

LookupWay way(const std::string& link, std::vector<Endpoint> servers) { return {link, {}, std::move(servers)}; }

// A name of two labels, so that no search list is tried before it.
const std::string wanted = "relay.hawser-test";

constexpr std::uint32_t relay = 0x0A4D0002;

}  // namespace

TEST_CASE("a name server is an address, with a port where it is not the usual one") {
    CHECK(name_server_text(*parse_name_server("10.64.0.1")) == "10.64.0.1");
    CHECK(parse_name_server("10.64.0.1")->port == name_server_port);
    CHECK(name_server_text(*parse_name_server("10.64.0.1:53")) == "10.64.0.1");
    CHECK(name_server_text(*parse_name_server("10.64.0.1:5353")) == "10.64.0.1:5353");
    CHECK(name_server_text(*parse_name_server("2001:db8::1")) == "2001:db8::1");
    CHECK(name_server_text(*parse_name_server("[2001:db8::1]:5353")) == "[2001:db8::1]:5353");
    for (const char* bad : {"", "dns.example", "10.64.0.1:0", "10.64.0.1:65536", "0.0.0.0", "::", "10.64.0"})
        CHECK(parse_name_server(bad).error().find("is no name server") != std::string::npos);
    CHECK(parse_name_servers("10.0.0.1  10.0.0.2\t10.0.0.1")->size() == 2);
    CHECK(parse_name_servers("")->empty());
    CHECK(parse_name_servers("10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4").error() == "at most 3 name servers");
}

TEST_CASE("of a resolv.conf the servers count that are not on this machine, the first three") {
    char path[] = "/tmp/hawser-resolv-XXXXXX";
    const os::Fd file(::mkstemp(path));
    const std::string text =
        "# nameserver 10.0.0.9\nsearch example.org\nnameserver 127.0.0.53\nnameserver\t10.0.0.1 # here\n nameserver "
        "::1\n"
        "nameserver nonsense\nnameserver\nnameserver 2001:db8::1\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n"
        "nameserver 10.0.0.3\n" +
        std::string(5000, 'x');
    REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    const auto servers = name_servers_of(path);
    ::unlink(path);
    REQUIRE(servers.size() == name_servers_max);
    CHECK(name_server_text(servers[0]) == "10.0.0.1");
    CHECK(name_server_text(servers[1]) == "2001:db8::1");
    CHECK(name_server_text(servers[2]) == "10.0.0.2");
    CHECK(name_servers_of("/no/such/file").empty());
}

TEST_CASE("an address as a host asks nobody") {
    const Server server(says_nothing);
    const Resolution answer = resolve_by_links("192.0.2.1", 5000, {way("wwan0", {server.at()})});
    REQUIRE(answer.resolved.count == 1);
    CHECK(os::endpoint_text(answer.resolved.addresses[0]) == "192.0.2.1:5000");
    CHECK_FALSE(answer.by);
    CHECK(server.asked() == 0);
}

TEST_CASE("the first good answer counts, and says by which uplink and of which server it came") {
    const Server dead(says_nothing), good(tells(relay));
    const Instant begun = os::now();
    const Resolution answer = resolve_by_links(wanted, 5000, {way("wwan0", {dead.at()}), way("usb0", {good.at()})});
    REQUIRE(answer.resolved.count == 1);
    CHECK(answer.resolved.addresses[0] == Endpoint::from_v4(relay, 5000));
    REQUIRE(answer.by);
    CHECK(answer.by->link == "usb0");
    CHECK(answer.by->server == good.at());
    CHECK(answer.error.empty());
    CHECK(os::now() - begun < Duration{900'000'000});  // nobody waited for the silent one
}

TEST_CASE("a link's next server is asked when one is silent, fails or refuses, and a question that was lost again") {
    const Server failing(says(2)), refusing(says(5)), denying(says(3)), good(tells(relay));
    Resolution answer = resolve_by_links(wanted, 1, {way("wwan0", {failing.at(), refusing.at(), good.at()})});
    CHECK(answer.by->server == good.at());
    answer = resolve_by_links(wanted, 1, {way("wwan0", {denying.at(), good.at()})});
    CHECK(answer.by->server == good.at());

    std::atomic<int> questions{0};
    const Server late([&](const Packet& question) { return ++questions <= 2 ? Packet() : tells(relay)(question); });
    answer = resolve_by_links(wanted, 1, {way("wwan0", {late.at()})});
    CHECK(answer.resolved.count == 1);
}

TEST_CASE("where only the question for the IPv6 address stays without an answer, the IPv4 one is enough") {
    const Server half([](const Packet& q) { return asks_for_v4(q) ? tells(relay)(q) : Packet(); });
    const Resolution answer = resolve_by_links(wanted, 1, {way("wwan0", {half.at()})});
    REQUIRE(answer.resolved.count == 1);
    CHECK(answer.resolved.addresses[0] == Endpoint::from_v4(relay, 1));
}

TEST_CASE("servers that lie or talk nonsense harm nobody and hold nobody up") {
    const auto changed = [](std::size_t at, int by) {
        return [=](const Packet& q) {
            Packet p = tells(relay)(q);
            p[at] = static_cast<char>(p[at] ^ by);
            return p;
        };
    };
    const auto cut = [](std::size_t length) {
        return [=](const Packet& q) { return tells(relay)(q).substr(0, length); };
    };
    const std::vector<Law> liars{
        changed(0, 0x55),   // another question's number
        changed(7, 0x7F),   // more records than there are
        changed(13, 0x20),  // another name
        cut(5),
        cut(14),
        cut(33),
        [](const Packet&) { return Packet(400, '\xFF'); },
        [](const Packet&) { return Packet(400, '\0'); },
        [](const Packet& q) {
            return answer_to(q, 0, 1) + Packet("\xC0\x0C\x00\x01\x00\x01\x00\x00\x00\x3C\xFF\xFF", 12);
        },
        [](const Packet& q) { return answer_to(q, 0, 1) + Packet(2, '\xC0') + Packet(60, '\xC0'); },
    };
    const Server good(tells(relay));
    std::vector<std::unique_ptr<Server>> servers;
    std::vector<LookupWay> ways;
    for (const Law& law : liars) {
        servers.push_back(std::make_unique<Server>(law));
        ways.push_back(way("liar" + std::to_string(ways.size()), {servers.back()->at()}));
    }
    ways.push_back(way("usb0", {good.at()}));
    const Instant begun = os::now();
    const Resolution answer = resolve_by_links(wanted, 1, ways);
    CHECK(answer.is_good());
    CHECK(os::now() - begun < Duration{900'000'000});
    // And when nobody else is there, each is heard to the end.
    ways.pop_back();
    for (const Resolution& r : resolve_by_each(wanted, 1, ways)) {
        INFO(r.by->link << ": " << r.error);
        CHECK((r.is_good() || !r.error.empty()));
        CHECK_FALSE(r.is_final);
    }
    CHECK(os::now() - begun < lookup_limit + Duration{1'000'000'000});
}

TEST_CASE("an answer that names no host on the network is none") {
    const Server blocker(tells(0)), other(tells(0x7F000001)), group(tells(0xE0000001));
    const Resolution answer =
        resolve_by_links(wanted, 1, {way("wwan0", {blocker.at(), other.at()}), way("usb0", {group.at()})});
    CHECK_FALSE(answer.is_good());
    CHECK_FALSE(answer.is_final);
    CHECK(answer.error.find("tells no host's address") != std::string::npos);
}

TEST_CASE("a failure names each way with each server and what it said, and is final where all deny the name") {
    const Server denying(says(3)), also(says(3)), dead(says_nothing);
    Resolution answer = resolve_by_links(wanted, 1, {way("wwan0", {denying.at()}), way("usb0", {also.at()})});
    CHECK(answer.is_final);
    const auto said = [](const std::string& link, const Server& s, const char* what) {
        return link + ": " + name_server_text(s.at()) + " " + what;
    };
    CHECK(answer.error ==
          said("wwan0", denying, "knows no such name") + "; " + said("usb0", also, "knows no such name"));
    answer = resolve_by_links(wanted, 1, {way("wwan0", {denying.at()}), way("usb0", {dead.at()})});
    CHECK_FALSE(answer.is_final);
    CHECK(answer.error == said("wwan0", denying, "knows no such name") + "; " + said("usb0", dead, "does not answer"));
    CHECK(resolve_by_links(wanted, 1, {}).error == "there is no uplink to ask by");
}

TEST_CASE("a name is denied when both its families are, and not while the answer for one is broken") {
    const auto broken_for_v4 = [](const Law& v4, int code_v6) {
        return [=](const Packet& q) { return asks_for_v4(q) ? v4(q) : answer_to(q, code_v6, 0); };
    };
    const Law cut = [](const Packet& q) { return tells(relay)(q).substr(0, q.size() + 4); };
    const Law to_tcp = [](const Packet& q) {  // truncated by its own word; nobody listens on TCP
        Packet p = answer_to(q, 0, 0);
        p[2] = static_cast<char>(p[2] | 2);
        return p;
    };
    for (const Law& v4 : {cut, to_tcp, says(2), says(5)})
        for (const int code_v6 : {0, 3}) {
            const Server half(broken_for_v4(v4, code_v6)), denying(says(3));
            const Resolution alone = resolve_by_links(wanted, 1, {way("wwan0", {half.at()})});
            INFO(alone.error);
            CHECK_FALSE(alone.is_good());
            CHECK_FALSE(alone.is_final);
            CHECK(alone.could_ask);
            // Another uplink's denial does not settle what this one could not say.
            CHECK_FALSE(resolve_by_links(wanted, 1, {way("wwan0", {half.at()}), way("usb0", {denying.at()})}).is_final);
        }
    // Nothing of the one family and no such name of the other is a denial.
    const Server mixed(broken_for_v4(says(0), 3));
    const Resolution answer = resolve_by_links(wanted, 1, {way("wwan0", {mixed.at()})});
    CHECK(answer.is_final);
    CHECK(answer.error.find("knows no address of it") != std::string::npos);
}

TEST_CASE("what cannot be bound to its uplink asks nobody") {
    const Server good(tells(relay));
    LookupWay gone = way("wwan9", {good.at()});
    std::snprintf(gone.socket.device, sizeof gone.socket.device, "wwan9");
    LookupWay other_family = way("usb0", {good.at()});
    other_family.socket.local = *os::parse_address("fd00::1");
    const Resolution answer = resolve_by_links(wanted, 1, {gone, other_family});
    CHECK_FALSE(answer.is_good());
    CHECK_FALSE(answer.could_ask);
    CHECK_FALSE(answer.is_final);
    CHECK(answer.error ==
          "wwan9: " + name_server_text(good.at()) + " cannot be asked; usb0: no name server is known for it");
    CHECK(good.asked() == 0);
}
