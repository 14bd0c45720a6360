// SPDX-License-Identifier: MIT
// A client's bytes of any content, in pieces of any length: bounded lines come out whatever the pieces were, each is
// answered with one line of JSON or with nothing, and what is answered can be read by the client's side.
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "platform/control/rpc/arguments.h"
#include "platform/control/rpc/line_buffer.h"
#include "platform/control/rpc/methods.h"
#include "tests/fuzz/input.h"

using namespace hawser;
using namespace hawser::rpc;

namespace {

constexpr std::size_t line_max = 512;

Methods methods() {
    Methods m;
    m.add(
        {"echo", Role::observe, [](const Params& p, const Caller&) -> Outcome { return Json::parse(text_of(p)); }, ""});
    m.add({"set", Role::operate,
           [](const Params& p, const Caller&) -> Outcome {
               const auto text = text_argument(p, "text", "a text");
               const auto on = switch_argument(p, "enabled");
               const auto ms = count_argument(p, "ms", "a number");
               if (!text) return Failure{text.error()};
               if (!on) return Failure{on.error()};
               if (!ms) return Failure{ms.error()};
               return Json{{"text", *text}};
           },
           ""});
    return m;
}

void check_answer(const Params& one) {
    HAWSER_CHECK(one.is_object() && one.size() == 3 && one.at("jsonrpc") == "2.0" && one.contains("id"));
    HAWSER_CHECK(one.contains("result") != one.contains("error"));
    if (one.contains("error")) HAWSER_CHECK(one.at("error").at("code").get<int>() <= -32000);
}

std::vector<std::string> lines_of(std::span<const std::uint8_t> bytes, std::size_t step) {
    LineBuffer buffer(line_max);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < bytes.size(); i += step) {
        const auto piece = bytes.subspan(i, std::min(step, bytes.size() - i));
        buffer.add(std::string(piece.begin(), piece.end()));
        while (const auto line = buffer.next()) {
            HAWSER_CHECK(line->text.size() <= line_max && line->text.find('\n') == std::string_view::npos);
            out.push_back(line->is_too_long ? std::string("<too long>\n") : std::string(line->text));
        }
        HAWSER_CHECK(buffer.rest().size() <= line_max);
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Methods table = methods();
    fuzz::Input input(data, size);
    const std::size_t step = 1u + input.u8();
    const Caller caller{(input.u8() & 1) != 0 ? Role::operate : Role::observe, 1, "fuzzer"};
    const auto bytes = input.rest();
    const auto lines = lines_of(bytes, step);
    HAWSER_CHECK(lines == lines_of(bytes, std::max<std::size_t>(bytes.size(), 1)));
    for (const std::string& line : lines) {
        const std::string answer = table.answer(line, caller);
        if (answer.empty()) continue;
        HAWSER_CHECK(answer.find('\n') == std::string::npos);
        std::string complaint;
        // An id is echoed as it came, so an answer may be nested no deeper than a line.
        const auto read = parse_json(answer, complaint);
        if (!read) continue;
        if (!read->is_array()) {
            check_answer(*read);
        } else {
            HAWSER_CHECK(!read->empty() && read->size() <= batch_max);
            for (const Params& one : *read) check_answer(one);
        }
    }
    return 0;
}
