// SPDX-License-Identifier: MIT
#include "platform/app/view/watcher.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>

#include "platform/app/plain_text.h"
#include "platform/app/random.h"
#include "platform/app/terminal.h"
#include "platform/app/view/live_figures.h"
#include "platform/control/loop.h"
#include "platform/control/rpc/client.h"

namespace hawser::app {

namespace {

using rpc::Json;
using rpc::Outcome;
using rpc::Params;

constexpr Duration answer_timeout{5'000'000'000};
// A minute in all: a disk may be slow.
constexpr std::chrono::milliseconds dump_look_every{20};
constexpr int dump_looks_max = 3000;

// False when nobody reads any more.
bool put(const std::string& text) { return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0; }

int fail_with(const rpc::Error& error) {
    std::string text = "hawser: " + printable(error.message);
    if (!error.data.is_null()) text += " " + rpc::text_of(error.data);
    std::fprintf(stderr, "%s\n", text.c_str());
    return 1;
}

Params params_of(const Json& value) { return Params::parse(rpc::text_of(value)); }

std::string log_text(const Params& line) {
    const auto word = [&](const char* name) {
        const auto found = line.is_object() ? line.find(name) : line.end();
        return found != line.end() && found->is_string() ? printable(found->get<std::string>()) : std::string();
    };
    return word("time") + " " + word("level") + ": " + word("text") + "\n";
}

// A connection that lasts, and the signals that end it.
class Watch {
public:
    explicit Watch(const std::string& path) : client_(loop_, path, random_value<std::uint64_t>()) {
        loop_.on_signals({SIGINT, SIGTERM, SIGHUP}, [this](int) { loop_.quit(0); });
        client_.on_refusal([this](std::string_view, const rpc::Error& why) { loop_.quit(fail_with(why)); });
    }
    control::Loop& loop() { return loop_; }
    rpc::Client& client() { return client_; }
    // Said once for each time it is lost, or not there to begin with; `found` is called when it is there then.
    void tell_of_losses(std::function<void()> found = [] {}) {
        client_.on_state([this, found = std::move(found)](rpc::Client::State state, const std::string& why) {
            const bool is_there = state == rpc::Client::State::connected;
            if (!is_there && !was_told_)
                std::fprintf(stderr, "hawser: %s; trying again until it is there\n", printable(why).c_str());
            const bool is_found = std::exchange(was_told_, !is_there) && is_there;
            if (!is_found) return;
            std::fprintf(stderr, "hawser: connected\n");
            found();
        });
    }
    int run() {
        client_.start();
        return loop_.run();
    }

private:
    control::Loop loop_;
    rpc::Client client_;
    bool was_told_ = false;
};

}  // namespace

int show_status(const std::string& path, bool json) {
    const Outcome stats = rpc::call_and_wait(path, "get_stats", Json::object(), answer_timeout);
    if (!stats) return fail_with(stats.error());
    if (json) {
        const Outcome status = rpc::call_and_wait(path, "get_status", Json::object(), answer_timeout);
        if (!status) return fail_with(status.error());
        Json all = *stats;
        all.update(*status);
        return put(rpc::text_of(all) + "\n") ? 0 : 1;
    }
    LiveFigures figures;
    figures.take(params_of(*stats));
    return put(table_of(figures, false)) ? 0 : 1;
}

int watch_status(const std::string& path, bool json) {
    Watch watch(path);
    LiveFigures figures;
    watch.tell_of_losses();
    watch.client().on_event([&](std::string_view topic, const Params& stats) {
        if (topic != "stats") return;
        figures.take(stats);
        if (!put(json ? rpc::text_of(stats) + "\n" : table_of(figures, false) + "\n")) watch.loop().quit(1);
    });
    watch.client().subscribe("stats");
    return watch.run();
}

int show_top(const std::string& path, bool once) {
    const auto terminal = once ? nullptr : Terminal::open();
    if (!terminal) return show_status(path, false);
    Watch watch(path);
    LiveFigures figures;
    std::string state = "connecting to " + path;
    bool has_figures = false;
    const auto show = [&] {
        std::string page = "hawser top, q ends it" + (state.empty() ? std::string() : ": " + state) + "\n\n";
        if (has_figures) page += table_of(figures, true);
        terminal->draw(page, 0);
    };
    watch.client().on_state([&](rpc::Client::State s, const std::string& why) {
        state = s == rpc::Client::State::connected ? std::string() : printable(why) + "; trying again";
        show();
    });
    const auto take = [&](const Params& stats) {
        figures.take(stats);
        has_figures = true;
        show();
    };
    watch.client().on_event([&](std::string_view topic, const Params& stats) {
        if (topic == "stats") take(stats);
    });
    watch.loop().on_signals({SIGWINCH, SIGTSTP}, [&](int signal) {
        if (signal == SIGTSTP) terminal->stop();
        show();
    });
    watch.loop().watch(STDIN_FILENO, [&] {
        const char key = terminal->key();
        // A terminal that is gone reads as end of file, for ever.
        if (key == 'q' || key == '\0') watch.loop().quit(0);
    });
    watch.client().subscribe("stats");
    // The first page at once.
    static_cast<void>(watch.client().call("get_stats", Json::object(), [&](const Outcome& stats) {
        if (stats) take(params_of(*stats));
    }));
    show();
    return watch.run();
}

int call_method(const std::string& path, const std::string& method, const std::string& params) {
    std::string complaint;
    const auto value = rpc::parse_json(params, complaint);
    if (!value || !value->is_object()) {
        std::fprintf(stderr, "hawser ctl: PARAMS is no JSON object%s%s\n", complaint.empty() ? "" : ": ",
                     complaint.c_str());
        return 2;
    }
    const Outcome result = rpc::call_and_wait(path, method, Json::parse(rpc::text_of(*value)), answer_timeout);
    if (!result) return fail_with(result.error());
    return put(rpc::text_of(*result) + "\n") ? 0 : 1;
}

int show_budgets(const std::string& path, bool json) {
    const Outcome answer = rpc::call_and_wait(path, "budgets.list", Json::object(), answer_timeout);
    if (!answer) return fail_with(answer.error());
    const std::string text = json ? rpc::text_of(*answer) + "\n" : budgets_table(params_of(*answer));
    return put(text) ? 0 : 1;
}

int dump_recorder(const std::string& path, const std::string& name) {
    const Json params = name.empty() ? Json::object() : Json{{"name", name}};
    const Outcome begun = rpc::call_and_wait(path, "recorder.dump", params, answer_timeout);
    if (!begun) return fail_with(begun.error());
    Outcome status = Json::object();
    for (int i = 0; i < dump_looks_max; ++i) {
        status = rpc::call_and_wait(path, "recorder.status", Json::object(), answer_timeout);
        if (!status) return fail_with(status.error());
        if (!(*status)["writing"].get<bool>()) break;
        std::this_thread::sleep_for(dump_look_every);
    }
    const Json last = (*status)["last"];
    if ((*status)["writing"].get<bool>() || last.is_null() || last["path"] != (*begun)["path"])
        return fail_with({rpc::Code::internal_error, "the recording is not written yet: recorder.status tells more"});
    if (last.contains("error")) return fail_with({rpc::Code::refused, last["error"].get<std::string>()});
    return put(last["path"].get<std::string>() + ": " + std::to_string(last["packets"].get<std::uint64_t>()) +
               " packets\n")
               ? 0
               : 1;
}

int show_log(const std::string& path, bool follow, bool json) {
    const auto show = [json](const Params& line) { return put(json ? rpc::text_of(line) + "\n" : log_text(line)); };
    if (!follow) {
        const Outcome recent = rpc::call_and_wait(path, "log.recent", Json::object(), answer_timeout);
        if (!recent) return fail_with(recent.error());
        const Params answer = params_of(*recent);
        if (const auto lines = answer.find("lines"); lines != answer.end())
            for (const Params& line : *lines)
                if (!show(line)) return 1;
        return 0;
    }
    Watch watch(path);
    std::string last;
    const auto take = [&](const Params& line) {
        last = rpc::text_of(line);
        if (!show(line)) watch.loop().quit(1);
    };
    // What it logged before this connection; a restarted program says in its first moment what there is to know. Asked
    // for after the subscription: what is told until the answer is in it.
    bool is_behind = false;
    watch.tell_of_losses([&] {
        is_behind = watch.client().call("log.recent", Json::object(), [&](const Outcome& recent) {
            is_behind = false;
            if (!recent) return;
            const Params answer = params_of(*recent);
            const auto lines = answer.find("lines");
            if (lines == answer.end()) return;
            auto next = lines->begin();
            for (auto line = next; line != lines->end(); ++line)
                if (rpc::text_of(*line) == last) next = std::next(line);
            std::for_each(next, lines->end(), take);
        });
    });
    watch.client().on_event([&](std::string_view topic, const Params& line) {
        if (topic == "log" && !is_behind) take(line);
        if (topic == "events.lost") std::fprintf(stderr, "hawser: lines lost: %s\n", rpc::text_of(line).c_str());
    });
    watch.client().subscribe("log");
    return watch.run();
}

}  // namespace hawser::app
