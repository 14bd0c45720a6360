// SPDX-License-Identifier: MIT
// The control socket's server and client on one loop each, over real sockets in a folder of the test's own.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "platform/control/rpc/client.h"
#include "platform/control/rpc/server.h"
#include "platform/control/rpc/unix_address.h"
#include "platform/linux/clock.h"
#include "tests/io/folder.h"

using namespace hawser;
using namespace hawser::rpc;

namespace {

using test::Folder;

// Runs a loop until something is so; false when it has not come to be in time.
bool run_until(control::Loop& loop, const std::function<bool()>& is_so, int seconds = 10) {
    const Instant end = os::now() + Duration{seconds * std::int64_t{1'000'000'000}};
    control::Timer look;
    bool was_so = false;
    loop.watch(look.fd(), [&] {
        look.acknowledge();
        was_so = is_so();
        if (was_so || os::now() >= end)
            loop.quit(0);
        else
            look.set(os::now() + Duration{2'000'000});
    });
    look.set(os::now());
    loop.run();
    loop.unwatch(look.fd());
    return was_so;
}

// A plain client of the test's own.
class Plain {
public:
    explicit Plain(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        REQUIRE(connect_to(fd_.get(), *unix_address(path)) == 0);
    }
    void send(const std::string& text) const {
        static_cast<void>(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    }
    // What has come; empty at the end too, which `ended` tells.
    std::string read() {
        std::string text(1 << 20, '\0');
        const ssize_t count = ::recv(fd_.get(), text.data(), text.size(), MSG_DONTWAIT);
        ended = ended || count == 0 || (count < 0 && errno == ECONNRESET);
        text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        got += text;
        return text;
    }
    [[nodiscard]] std::size_t lines() {
        read();
        return static_cast<std::size_t>(std::count(got.begin(), got.end(), '\n'));
    }
    void end_sending() const { ::shutdown(fd_.get(), SHUT_WR); }
    std::string got;
    bool ended = false;

private:
    os::Fd fd_;
};

struct Rig {
    Rig() { serve(); }
    void serve() {
        auto opened = Server::open(loop, ServerSettings{folder.file("control"), false, {}, false});
        REQUIRE(opened);
        server = std::move(opened).value();
        server->methods().add({"add", Role::observe,
                               [this](const Params&, const Caller&) -> Outcome {
                                   return Json{{"calls", ++calls}};
                               },
                               ""});
        server->methods().add({"large", Role::observe,
                               [](const Params&, const Caller&) -> Outcome { return Json(std::string(60'000, 'x')); },
                               ""});
        server->add_topic("news", "", [this](bool wanted) { is_wanted = wanted; });
        server->serve();
    }
    bool until(const std::function<bool()>& is_so, int seconds = 10) { return run_until(loop, is_so, seconds); }
    Folder folder;
    control::Loop loop;
    std::unique_ptr<Server> server;
    int calls = 0;
    bool is_wanted = false;
};

const std::string call_add = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"add\"}\n";
const std::string subscribe_news =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"topic\":\"news\"}}\n";

}  // namespace

TEST_CASE("the socket file is there with its mode, and gone afterwards") {
    Folder folder;
    control::Loop loop;
    {
        const auto server = Server::open(loop, ServerSettings{folder.file("control"), false, {}, false});
        REQUIRE(server);
        struct stat s {};
        REQUIRE(::lstat(folder.file("control").c_str(), &s) == 0);
        CHECK(S_ISSOCK(s.st_mode));
        CHECK((s.st_mode & 0777) == 0660);
    }
    CHECK_FALSE(std::filesystem::exists(folder.file("control")));
}

TEST_CASE("a live socket is refused, a dead one's file replaced, and what is no socket left alone") {
    Folder folder;
    control::Loop loop;
    const ServerSettings settings{folder.file("control"), false, {}, false};
    {
        const auto first = Server::open(loop, settings);
        REQUIRE(first);
        const auto second = Server::open(loop, settings);
        REQUIRE_FALSE(second);
        CHECK(second.error().find("another process serves it") != std::string::npos);
    }
    {
        // As a process leaves it that was killed.
        const os::Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
        const auto address = unix_address(folder.file("control"));
        REQUIRE(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0);
    }
    CHECK(std::filesystem::exists(folder.file("control")));
    CHECK(Server::open(loop, settings));
    std::ofstream(folder.file("control")) << "precious";
    const auto third = Server::open(loop, settings);
    REQUIRE_FALSE(third);
    CHECK(third.error().find("no socket") != std::string::npos);
    CHECK(std::filesystem::file_size(folder.file("control")) == 8);
    CHECK_FALSE(Server::open(loop, ServerSettings{folder.path + "/" + std::string(200, 'x'), false, {}, false}));
    CHECK_FALSE(Server::open(loop, ServerSettings{folder.path + "/other", false, "no such group", false}));
    CHECK_FALSE(Server::open(loop, ServerSettings{"/no/such/folder/control", false, {}, false}));
}

TEST_CASE("requests are answered in their order however they are cut, the last one without a line end too") {
    Rig rig;
    Plain client(rig.folder.file("control"));
    for (const char c : call_add + call_add) client.send(std::string(1, c));
    client.send(call_add.substr(0, call_add.size() - 1));
    client.end_sending();
    CHECK(rig.until([&] { return client.lines() == 3 && client.ended; }));
    CHECK(rig.calls == 3);
    CHECK(client.got.find("{\"calls\":1}") < client.got.find("{\"calls\":3}"));
}

TEST_CASE("more requests at once than a turn takes are all answered") {
    Rig rig;
    Plain client(rig.folder.file("control"));
    std::string many;
    for (int i = 0; i < 300; ++i) many += call_add;
    client.send(many);
    CHECK(rig.until([&] { return client.lines() == 300; }));
}

TEST_CASE("a giant line is refused, and the next one answered") {
    Rig rig;
    Plain client(rig.folder.file("control"));
    std::string rest = std::string(3 * line_bytes_max, 'x') + "\n" + call_add;
    CHECK(rig.until([&] {
        const std::string piece = rest.substr(0, 8192);
        client.send(piece);
        rest.erase(0, piece.size());
        return client.lines() == 2;
    }));
    CHECK(client.got.find("-32600") < client.got.find("\"calls\":1"));
}

TEST_CASE("who does not read its answers is asked nothing more, and gets them all when it reads") {
    Rig rig;
    Plain client(rig.folder.file("control"));
    std::string many;
    for (int i = 0; i < 50; ++i) many += "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"}\n";  // 3 MB
    client.send(many);
    Plain other(rig.folder.file("control"));
    other.send(call_add);
    CHECK(rig.until([&] { return other.lines() == 1; }));
    CHECK(rig.until([&] { return client.lines() == 50; }, 60));
}

TEST_CASE("each request that has to wait for fresh figures waits as long as the one before") {
    Rig rig;
    rig.server->set_readiness([] { return false; });
    const Plain plain(rig.folder.file("control"));
    for (int i = 1; i <= 3; ++i) {
        const Instant asked = os::now();
        plain.send(call_add);
        REQUIRE(rig.until([&] { return rig.calls == i; }));
        CHECK(os::now() - asked >= Server::hold_max);
    }
}

TEST_CASE("at the end whoever is held is answered: questions as ever, changes with a refusal") {
    Rig rig;
    rig.server->methods().add(
        {"change", Role::operate, [](const Params&, const Caller&) -> Outcome { return Json(1); }, ""});
    rig.server->set_readiness([] { return false; });
    Plain asks(rig.folder.file("control"));
    Plain changes(rig.folder.file("control"));
    rig.until([&] { return rig.server->client_count() == 2; });
    asks.send(call_add);
    changes.send("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"change\"}\n");
    rig.server->answer_last({Code::refused, "the program is ending", nullptr});
    CHECK(asks.lines() == 1);
    CHECK(asks.got.find("\"calls\":1") != std::string::npos);
    CHECK(changes.lines() == 1);
    CHECK(changes.got.find("the program is ending") != std::string::npos);
    CHECK(changes.got.find("\"id\":7") != std::string::npos);
}

TEST_CASE("a client that is held, and gone, wakes nobody until it is its turn") {
    Rig rig;
    rig.server->set_readiness([] { return false; });
    {
        const Plain plain(rig.folder.file("control"));
        plain.send(call_add);
    }
    const std::uint64_t before = rig.loop.wakes();
    CHECK(rig.until([&] { return rig.calls == 1; }));
    // The test itself looks each 2 ms, 25 times in that time.
    CHECK(rig.loop.wakes() - before < 200);
    CHECK(rig.until([&] { return rig.server->client_count() == 0; }));
}

TEST_CASE("a batch that takes long is cut short, but for what changes something") {
    Methods methods;
    int reads = 0;
    int writes = 0;
    methods.add({"read", Role::observe,
                 [&](const Params&, const Caller&) -> Outcome {
                     ++reads;
                     for (const Instant end = os::now() + Duration{5'000'000}; os::now() < end;) continue;
                     return Json{};
                 },
                 ""});
    methods.add({"write", Role::operate,
                 [&](const Params&, const Caller&) -> Outcome {
                     return Json{{"n", ++writes}};
                 },
                 ""});
    const Caller caller{Role::operate, 1, "test"};
    const auto batch = [](const std::string& one) {
        std::string text = "[" + one;
        for (std::size_t i = 1; i < 32; ++i) text += "," + one;
        return text + "," + R"({"jsonrpc":"2.0","method":"write"})" + "]";
    };
    const auto answer = Json::parse(methods.answer(batch(R"({"jsonrpc":"2.0","method":"read","id":1})"), caller));
    CHECK(reads < 8);
    CHECK(answer.size() == 32);
    CHECK(answer.back()["error"]["code"] == static_cast<int>(Code::busy));
    CHECK(methods.answer(batch(R"({"jsonrpc":"2.0","method":"read"})"), caller).empty());
    CHECK(reads < 16);
    CHECK(writes == 2);
}

TEST_CASE("subscribing twice is one subscription, and its end is one end") {
    Rig rig;
    Plain client(rig.folder.file("control"));
    client.send(subscribe_news + subscribe_news);
    REQUIRE(rig.until([&] { return client.lines() == 2; }));
    CHECK(rig.is_wanted);
    rig.server->publish("news", Json{{"n", 1}});
    REQUIRE(rig.until([&] { return client.lines() == 3; }));
    CHECK(client.got.find(
              R"({"jsonrpc":"2.0","method":"news.update","params":{"subscription_id":"news","data":{"n":1}}})") !=
          std::string::npos);
    client.send(
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"unsubscribe\",\"params\":{\"subscription_id\":\"news\"}}\n");
    REQUIRE(rig.until([&] { return client.lines() == 4; }));
    CHECK_FALSE(rig.is_wanted);
    rig.server->publish("news", Json{{"n", 2}});
    client.send(call_add);
    REQUIRE(rig.until([&] { return client.lines() == 5; }));
    CHECK(client.got.find("\"n\":2") == std::string::npos);
}

TEST_CASE("a subscriber that leaves is forgotten") {
    Rig rig;
    {
        Plain client(rig.folder.file("control"));
        client.send(subscribe_news);
        REQUIRE(rig.until([&] { return rig.is_wanted; }));
    }
    CHECK(rig.until([&] { return !rig.is_wanted; }));
}

TEST_CASE("a subscriber that does not read loses events of its own, with their count, and delays nobody") {
    Rig rig;
    Plain slow(rig.folder.file("control"));
    Plain quick(rig.folder.file("control"));
    slow.send(subscribe_news);
    quick.send(subscribe_news);
    REQUIRE(rig.until([&] { return quick.lines() == 1 && slow.lines() == 1; }));
    const std::string load(2000, 'x');
    const std::size_t events = 1000;  // 2 MB: more than the kernel and the outbox hold
    for (std::size_t i = 0; i < events; ++i) {
        rig.server->publish("news", Json{{"n", i}, {"load", load}});
        if (i % 50 == 49) REQUIRE(rig.until([&] { return quick.lines() == 1 + i + 1; }));
    }
    CHECK(rig.until([&] {
        slow.read();
        return slow.got.find("\"n\":999,") != std::string::npos;
    }));
    const auto at = slow.got.find("\"events.lost\"");
    REQUIRE(at != std::string::npos);
    const std::size_t lost = std::stoul(slow.got.substr(slow.got.find("\"count\":", at) + 8));
    CHECK(slow.lines() == 1 + events - lost + 1);
    CHECK(quick.got.find("events.lost") == std::string::npos);
}

TEST_CASE("beyond its bound a client is told why it cannot stay, and there is room again when one leaves") {
    Rig rig;
    std::vector<std::unique_ptr<Plain>> clients;
    for (std::size_t i = 0; i < Server::clients_max; ++i) {
        clients.push_back(std::make_unique<Plain>(rig.folder.file("control")));
        clients.back()->send(call_add);
        REQUIRE(rig.until([&] { return clients.back()->lines() == 1; }));
    }
    Plain refused(rig.folder.file("control"));
    CHECK(rig.until([&] { return refused.lines() == 1 && refused.ended; }));
    CHECK(refused.got.find("-32002") != std::string::npos);
    clients.pop_back();
    // When another is answered, that end has been noticed.
    clients.front()->send(call_add);
    REQUIRE(rig.until([&] { return clients.front()->lines() == 2; }));
    Plain again(rig.folder.file("control"));
    again.send(call_add);
    CHECK(rig.until([&] { return again.lines() == 1; }));
    CHECK(again.got.find("calls") != std::string::npos);
}

TEST_CASE("other users observe, the file's group operates only when it may") {
    if (::geteuid() != 0) return;  // another user cannot be had
    Rig rig;
    REQUIRE(::chmod(rig.folder.file("control").c_str(), 0666) == 0);
    REQUIRE(::chmod(rig.folder.path.c_str(), 0755) == 0);
    int out[2];
    REQUIRE(::pipe(out) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        char role = '?';
        if (::setgid(65534) == 0 && ::setuid(65534) == 0) {
            const Outcome said =
                call_and_wait(rig.folder.file("control"), "rpc.methods", Json::object(), Duration{10'000'000'000});
            const Outcome refused =
                call_and_wait(rig.folder.file("control"), "rpc.clients", Json::object(), Duration{10'000'000'000});
            if (said && (*said)["role"] == "observe" && !refused && refused.error().code == Code::forbidden) role = 'o';
        }
        [[maybe_unused]] const auto written = ::write(out[1], &role, 1);
        ::_exit(0);
    }
    ::close(out[1]);
    const os::Fd answer(out[0]);
    int status = 0;
    CHECK(rig.until([&] { return ::waitpid(child, &status, WNOHANG) == child; }, 20));
    char role = '-';
    CHECK(::read(answer.get(), &role, 1) == 1);
    CHECK(role == 'o');
}

TEST_CASE("the client keeps its calls and subscriptions through a server's restart") {
    Folder folder;
    control::Loop loop;
    Client client(loop, folder.file("control"), 1);
    std::vector<std::string> states;
    std::vector<std::string> events;
    int answers = 0;
    client.on_state([&](Client::State s, const std::string&) {
        states.push_back(s == Client::State::connected ? "connected" : "waiting");
    });
    client.on_event(
        [&](std::string_view topic, const Params& data) { events.push_back(std::string(topic) + data.dump()); });
    client.start();
    CHECK(client.state() == Client::State::waiting);
    client.subscribe("news");
    client.subscribe("news");
    const auto count = [&](const Outcome& o) { answers += o ? 1 : 100; };
    CHECK(client.call("rpc.methods", Json::object(), count));
    const auto serve = [&] {
        auto server = std::move(Server::open(loop, ServerSettings{folder.file("control"), false, {}, false})).value();
        server->add_topic("news", "", {});
        server->serve();
        return server;
    };
    const auto until = [&](const std::function<bool()>& is_so) { return run_until(loop, is_so); };
    auto server = serve();
    CHECK(until([&] { return answers == 1; }));
    REQUIRE(until([&] { return server->has_subscribers("news"); }));
    server->publish("news", 1);
    CHECK(until([&] { return events.size() == 1; }));
    server.reset();
    REQUIRE(until([&] { return client.state() == Client::State::waiting; }));
    CHECK(client.call("rpc.methods", Json::object(), count));
    server = serve();
    CHECK(until([&] { return answers == 2 && server->has_subscribers("news"); }));
    server->publish("news", 2);
    CHECK(until([&] { return events == std::vector<std::string>{"news1", "news2"}; }));
    CHECK(states == std::vector<std::string>{"waiting", "connected", "waiting", "connected"});
    client.stop();
}

TEST_CASE("the client tells which subscription is refused and why, each time it asks") {
    Folder folder;
    control::Loop loop;
    const auto serve = [&] {
        auto server = std::move(Server::open(loop, ServerSettings{folder.file("control"), false, {}, false})).value();
        server->add_topic("news", "", {});
        server->serve();
        return server;
    };
    auto server = serve();
    Client client(loop, folder.file("control"), 3);
    std::vector<std::string> refused;
    client.on_refusal([&](std::string_view topic, const Error& why) {
        refused.emplace_back(topic);
        CHECK(why.code == Code::invalid_params);
    });
    client.subscribe("olds");
    client.subscribe("news");
    client.start();
    CHECK(run_until(loop, [&] { return server->has_subscribers("news"); }));
    CHECK(run_until(loop, [&] { return refused == std::vector<std::string>{"olds"}; }));
    server.reset();
    REQUIRE(run_until(loop, [&] { return client.state() == Client::State::waiting; }));
    server = serve();
    CHECK(run_until(loop, [&] { return refused.size() == 2 && server->has_subscribers("news"); }));
    client.stop();
}

TEST_CASE("two clients that lose one server do not come back at one time") {
    Folder folder;
    control::Loop loop;
    Client first(loop, folder.file("control"), 2);
    Client second(loop, folder.file("control"), 3);
    // As planned: when the loop comes to them is the machine's to say.
    std::map<const Client*, std::vector<Instant>> attempts;
    for (Client* const client : {&first, &second}) {
        client->on_state([&, client](Client::State, const std::string&) {
            const Duration longest = client->backoff();  // of the attempt after this one
            CHECK(client->next_attempt() - os::now() <= Duration{longest.ns / 2});
            attempts[client].push_back(client->next_attempt());
        });
        const Instant started = os::now();
        client->start();
        CHECK(client->next_attempt() - started >= Duration{Client::backoff_first.ns * 3 / 4});
    }
    REQUIRE(run_until(loop, [&] { return attempts[&first].size() >= 2 && attempts[&second].size() >= 2; }));
    for (const Client* const client : {&first, &second})
        CHECK(attempts[client][1] - attempts[client][0] >= Duration{2 * Client::backoff_first.ns * 3 / 4});
    // Seed 3 waits longer than seed 2 by 119 ms.
    CHECK(attempts[&second][0] - attempts[&first][0] > Duration{100'000'000});
}

TEST_CASE("the client waits longer each time, within bounds, and keeps a bounded number of calls") {
    Folder folder;
    control::Loop loop;
    Client client(loop, folder.file("control"), 7);
    std::vector<std::int64_t> seconds;
    for (Duration wait = Client::backoff_first; seconds.size() < 7; wait = Client::longer(wait))
        seconds.push_back(wait.ns / 1'000'000'000);
    CHECK(seconds == std::vector<std::int64_t>{1, 2, 4, 8, 16, 16, 16});
    int answers = 0;
    client.start();
    CHECK(client.backoff() == Client::backoff_first + Client::backoff_first);
    for (std::size_t i = 0; i < Client::calls_max; ++i)
        CHECK(client.call("x", Json::object(), [&](const Outcome&) { ++answers; }));
    CHECK_FALSE(client.call("x", Json::object(), [&](const Outcome&) { ++answers; }));
    // Until two more attempts have failed: at most 3 s.
    CHECK(run_until(loop, [&] { return client.backoff().ns >= 8 * Client::backoff_first.ns; }));
    CHECK(answers == 0);
}

TEST_CASE("a client whose server does not answer keeps a bounded number of calls") {
    Rig rig;
    Client client(rig.loop, rig.folder.file("control"), 1);
    client.start();
    REQUIRE(client.state() == Client::State::connected);
    bool all = true;
    for (std::size_t i = 0; i < Client::unanswered_max; ++i) all = client.call("add", {}, {}) && all;
    CHECK(all);
    CHECK_FALSE(client.call("add", {}, {}));
    CHECK(rig.until([&] { return rig.calls == static_cast<int>(Client::unanswered_max); }));
    CHECK(rig.until([&] { return client.call("add", {}, {}); }));
}

TEST_CASE("a call that was sent when the connection broke fails, and is not sent again") {
    Folder folder;
    control::Loop loop;
    const os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = unix_address(folder.file("control"));
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0);
    REQUIRE(::listen(listener.get(), 8) == 0);
    Client client(loop, folder.file("control"), 1);
    client.start();
    REQUIRE(client.state() == Client::State::connected);
    std::string failure;
    CHECK(client.call("set", Json::object(), [&](const Outcome& o) { failure = o ? "answered" : o.error().message; }));
    os::Fd(::accept(listener.get(), nullptr, nullptr)).reset();
    CHECK(run_until(loop, [&] { return !failure.empty(); }));
    CHECK(failure.find("before the answer") != std::string::npos);
}

TEST_CASE("a blocking call says what is wrong, and does not wait for ever") {
    Folder folder;
    const Duration patience{200'000'000};
    const Outcome nobody = call_and_wait(folder.file("control"), "x", Json::object(), patience);
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().message.find("No such file") != std::string::npos);
    const os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = unix_address(folder.file("control"));
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0);
    REQUIRE(::listen(listener.get(), 8) == 0);
    const Outcome silent = call_and_wait(folder.file("control"), "x", Json::object(), patience);
    REQUIRE_FALSE(silent);
    CHECK(silent.error().message.find("no answer in time") != std::string::npos);
}
