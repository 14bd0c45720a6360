// SPDX-License-Identifier: MIT
// Lines, messages, methods and outboxes of the control socket, without a socket.
#include <catch2/catch.hpp>

#include "platform/control/rpc/arguments.h"
#include "platform/control/rpc/line_buffer.h"
#include "platform/control/rpc/methods.h"
#include "platform/control/rpc/outbox.h"

using namespace hawser;
using namespace hawser::rpc;

namespace {

Methods some_methods() {
    Methods methods;
    methods.add({"echo", Role::observe, [](const Params& p, const Caller&) -> Outcome { return Json::parse(p.dump()); },
                 "gives its parameters back"});
    methods.add({"set", Role::operate,
                 [](const Params& p, const Caller&) -> Outcome {
                     const auto on = switch_argument(p, "enabled");
                     if (!on) return Failure{on.error()};
                     return Json{{"enabled", *on}};
                 },
                 "enabled"});
    methods.add({"throws", Role::observe,
                 [](const Params& p, const Caller&) -> Outcome { return Json(p.at("nothing").get<int>()); }, ""});
    return methods;
}

// "code id" of an error, "ok id" of a result, for each of a batch.
std::string gist(const std::string& answer) {
    if (answer.empty()) return "nothing";
    const Params value = Params::parse(answer);
    const auto one = [](const Params& v) {
        REQUIRE(v.at("jsonrpc") == "2.0");
        REQUIRE(v.size() == 3);
        return (v.contains("error") ? std::to_string(v.at("error").at("code").get<int>()) : std::string("ok")) + " " +
               v.at("id").dump();
    };
    if (!value.is_array()) return one(value);
    std::string out;
    for (const Params& v : value) out += (out.empty() ? "" : "; ") + one(v);
    return "[" + out + "]";
}

std::string ask(const std::string& line, Role role = Role::operate) {
    return some_methods().answer(line, Caller{role, 1, "somebody"});
}

std::string drained(Outbox& box) {
    std::string out;
    for (auto bytes = box.next(); !bytes.empty(); bytes = box.next()) {
        out.append(bytes);
        box.take(bytes.size());
    }
    return out;
}

}  // namespace

TEST_CASE("a request gets one answer with its id, whatever the id is") {
    CHECK(gist(ask(R"({"jsonrpc":"2.0","id":7,"method":"echo"})")) == "ok 7");
    CHECK(gist(ask(R"({"jsonrpc":"2.0","id":"a\nb","method":"echo","params":{"x":[1,{}]}})")) == R"(ok "a\nb")");
    CHECK(gist(ask(R"({"jsonrpc":"2.0","id":-1.5,"method":"echo"})")) == "ok -1.5");
    CHECK(gist(ask(R"({"jsonrpc":"2.0","id":null,"method":"echo"})")) == "ok null");
    CHECK(Params::parse(ask(R"({"jsonrpc":"2.0","id":1,"method":"echo","params":{"b":2,"a":"é"}})"))["result"] ==
          Params::parse(R"({"a":"é","b":2})"));
}

TEST_CASE("a notification is carried out and not answered, not even with an error") {
    CHECK(gist(ask(R"({"jsonrpc":"2.0","method":"echo"})")) == "nothing");
    CHECK(gist(ask(R"({"jsonrpc":"2.0","method":"no such"})")) == "nothing");
}

TEST_CASE("each kind of bad line has its error, with the id as far as there is one") {
    const auto [line, said] = GENERATE(table<std::string, std::string>({
        {"", "-32700 null"},
        {"nonsense", "-32700 null"},
        {R"({"jsonrpc":"2.0","id":1,"method":"echo")", "-32700 null"},
        {R"({"jsonrpc":"2.0","id":1,"method":"echo"} x)", "-32700 null"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", "-32700 null"},
        {std::string(nesting_max + 1, '[') + std::string(nesting_max + 1, ']'), "-32700 null"},
        {std::string(60'000, '['), "-32700 null"},
        {"3", "-32600 null"},
        {"\"x\"", "-32600 null"},
        {"null", "-32600 null"},
        {"[]", "-32600 null"},
        {R"({"id":1,"method":"echo"})", "-32600 1"},
        {R"({"jsonrpc":"1.0","id":1,"method":"echo"})", "-32600 1"},
        {R"({"jsonrpc":2.0,"id":1,"method":"echo"})", "-32600 1"},
        {R"({"jsonrpc":"2.0","id":1})", "-32600 1"},
        {R"({"jsonrpc":"2.0","id":1,"method":5})", "-32600 1"},
        {R"({"jsonrpc":"2.0","id":{},"method":"echo"})", "-32600 null"},
        {R"({"jsonrpc":"2.0","id":true,"method":"echo"})", "-32600 null"},
        {R"({"jsonrpc":"2.0","id":1,"method":"echo","params":3})", "-32600 1"},
        {R"({"jsonrpc":"2.0","id":1,"method":"echo","params":[3]})", "-32602 1"},
        {R"({"jsonrpc":"2.0","id":1,"method":"no such"})", "-32601 1"},
        {R"({"jsonrpc":"2.0","id":1,"method":"set"})", "-32602 1"},
        {R"({"jsonrpc":"2.0","id":1,"method":"set","params":{"enabled":1}})", "-32602 1"},
        {R"({"jsonrpc":"2.0","id":1,"method":"throws"})", "-32603 1"},
    }));
    INFO(line.substr(0, 100));
    CHECK(gist(ask(line)) == said);
}

TEST_CASE("a batch is answered in its order, and refused as a whole beyond its bound") {
    CHECK(gist(ask(R"([{"jsonrpc":"2.0","id":1,"method":"echo"},{"jsonrpc":"2.0","method":"echo"},5,
                       {"jsonrpc":"2.0","id":2,"method":"no"}])")) == "[ok 1; -32600 null; -32601 2]");
    CHECK(gist(ask(R"([{"jsonrpc":"2.0","method":"echo"}])")) == "nothing");
    const auto many = [](std::size_t count) {
        std::string line = "[";
        for (std::size_t i = 0; i < count; ++i) line += (i == 0 ? "" : ",") + std::string("1");
        return line + "]";
    };
    CHECK(Params::parse(ask(many(batch_max))).size() == batch_max);
    CHECK(gist(ask(many(batch_max + 1))) == "-32600 null");
}

TEST_CASE("who only observes can change nothing") {
    const std::string set = R"({"jsonrpc":"2.0","id":1,"method":"set","params":{"enabled":true}})";
    CHECK(gist(ask(set, Role::operate)) == "ok 1");
    CHECK(gist(ask(set, Role::observe)) == "-32001 1");
    CHECK(gist(ask(R"({"jsonrpc":"2.0","id":1,"method":"echo"})", Role::observe)) == "ok 1");
}

TEST_CASE("an error names the parameter, what is expected and what was given") {
    const Params error =
        Params::parse(ask(R"({"jsonrpc":"2.0","id":1,"method":"set","params":{"enabled":"yes"}})"))["error"];
    CHECK(error["data"]["parameter"] == "enabled");
    CHECK(error["data"]["expected"] == "true or false");
    CHECK(error["data"]["given"] == "\"yes\"");
}

TEST_CASE("lines come out whole however they came in, and a giant is told once") {
    LineBuffer lines(8);
    std::vector<std::string> out;
    const auto feed = [&](std::string_view text, std::size_t step) {
        for (std::size_t i = 0; i < text.size(); i += step) {
            lines.add(text.substr(i, step));
            while (const auto line = lines.next())
                out.push_back(line->is_too_long ? std::string("<giant>") : std::string(line->text));
        }
    };
    const std::size_t step = GENERATE(1u, 2u, 3u, 7u, 100u);
    feed("one\n\n12345678\n123456789\ntwo\n" + std::string(1000, 'x') + "\nthree\r\nrest", step);
    CHECK(out == std::vector<std::string>{"one", "", "12345678", "<giant>", "two", "<giant>", "three\r"});
    CHECK(lines.rest() == "rest");
}

TEST_CASE("a slow reader loses its oldest events, is told how many, and loses no answer") {
    Outbox box;
    box.add_answer("first answer");
    for (std::size_t i = 0; i < Outbox::events_max + 10; ++i)
        box.add_event(0, Outbox::line_of("event " + std::to_string(i)));
    box.add_answer("second answer");
    const std::string text = drained(box);
    CHECK(text.rfind("first answer\nsecond answer\n" + lost_text(10) + "\nevent 10\n", 0) == 0);
    CHECK(text.find("event " + std::to_string(Outbox::events_max + 9) + "\n") != std::string::npos);
    CHECK(box.is_empty());
    CHECK(box.answer_bytes() == 0);
    CHECK(box.events_lost() == 10);
    // Told once.
    box.add_event(0, Outbox::line_of("later"));
    CHECK(drained(box) == "later\n");
}

TEST_CASE("events are bounded by their bytes too, and one of any length is kept") {
    Outbox box;
    const auto large = Outbox::line_of(std::string(Outbox::event_bytes_max / 2, 'x'));
    for (int i = 0; i < 5; ++i) box.add_event(0, large);
    CHECK(box.events_lost() == 4);
    box.add_event(0, Outbox::line_of(std::string(2 * Outbox::event_bytes_max, 'y')));
    CHECK(box.events_lost() == 5);
    CHECK(drained(box).size() > 2 * Outbox::event_bytes_max);
}

TEST_CASE("a line that has been begun is finished, and a topic that is left leaves nothing behind") {
    Outbox box;
    box.add_event(0, Outbox::line_of("an event"));
    box.add_event(1, Outbox::line_of("another topic's"));
    box.add_event(0, Outbox::line_of("more"));
    REQUIRE(box.next() == "an event\n");
    box.take(3);
    box.add_answer("answer");
    box.forget(0);
    CHECK(drained(box) == "event\nanswer\nanother topic's\n");
}
