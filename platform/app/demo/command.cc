// SPDX-License-Identifier: MIT
// The command line of `hawser demo`.
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "platform/app/commands/cli.h"
#include "platform/app/commands/commands.h"
#include "platform/app/demo/demo.h"

namespace hawser::demo {
namespace {

namespace cli = app::cli;

constexpr int exit_usage = 2;

// Arguments that become Options only when all are known.
struct Words {
    std::string select = "adaptive";
    std::string io = "auto";
    std::size_t count = 4;
    std::optional<std::uint32_t> rate;
    std::optional<std::uint32_t> delay;
    std::optional<double> loss;
    std::optional<std::uint32_t> queue;
    std::vector<std::string> settings;
    std::vector<std::string> dark;
};

void describe(cli::App& app, Options& options, Words& words) {
    app.add_option("--seconds", options.seconds, "seconds of picture; 0: until Ctrl-C")
        ->check(cli::Range(0, 86'400))
        ->capture_default_str();
    app.add_option("--links", words.count, "number of uplinks")
        ->check(cli::Range(1, static_cast<int>(demo_links_max)))
        ->capture_default_str();
    app.add_option("--bitrate", options.bitrate_kbps, "of the stream, kbit/s")
        ->check(cli::Range(500, 100'000))
        ->capture_default_str();
    app.add_option("--latency", options.latency_ms, "of SRT, ms")->check(cli::Range(50, 8'000))->capture_default_str();
    app.add_option("--select", words.select, "how links are chosen")
        ->check(cli::IsMember({"classic", "enhanced", "adaptive"}))
        ->capture_default_str();
    app.add_option("--io", words.io, "how the pumps talk to the kernel")
        ->check(cli::IsMember({"auto", "uring", "epoll"}))
        ->capture_default_str();
    app.add_option("--rate", words.rate, "of every link, kbit/s; 0: unlimited")->check(cli::Range(0, 1'000'000));
    app.add_option("--delay", words.delay, "of every link, one way, ms")->check(cli::Range(0, 10'000));
    app.add_option("--loss", words.loss, "of every link, percent")->check(cli::Range(0.0, 100.0));
    app.add_option("--queue", words.queue, "of every link, ms")->check(cli::Range(0, 10'000));
    app.add_option("--link", words.settings, "one link's own, e.g. 1:rate=3000,delay=40,loss=2,queue=300");
    app.add_option("--dark", words.dark, "LINK@START+SECONDS: the link carries nothing meanwhile");
    app.add_option("--seed", options.seed, "of the random losses")->capture_default_str();
    app.add_flag("--pattern,--no-video", options.pattern, "a built-in stream instead of ffmpeg's picture");
    app.add_option("--keep-ts", options.keep_ts, "file to write the received stream to");
    app.add_flag("--json", options.json, "end with one line of JSON on stdout; the table goes to stderr");
}

Outcome<Unit> interpret(const Words& words, Options& options) {
    options.select = select::mode_of(words.select);
    options.io = words.io == "uring" ? IoChoice::uring : words.io == "epoll" ? IoChoice::epoll : IoChoice::automatic;
    options.links = default_links(words.count);
    const auto ms = [](std::uint32_t n) { return Duration{std::int64_t{n} * 1'000'000}; };
    for (LinkShape& shape : options.links) {
        if (words.rate) shape.rate_kbps = *words.rate;
        if (words.delay) shape.delay = ms(*words.delay);
        if (words.loss) shape.loss = *words.loss / 100;
        if (words.queue) shape.queue = ms(*words.queue);
    }
    for (const std::string& text : words.settings)
        if (auto applied = apply_link_setting(text, options.links); !applied) return applied;
    for (const std::string& text : words.dark) {
        auto window = read_dark_window(text, options.links.size());
        if (!window) return Failure{window.error()};
        options.dark.push_back(window.value());
    }
    return Unit{};
}

}  // namespace

}  // namespace hawser::demo

namespace hawser::app {

int command_demo(int argc, char** argv) {
    demo::Options options;
    demo::Words words;
    cli::App line(
        "A receiver, a sender with emulated uplinks and a live test picture through real SRT, on this machine.",
        "hawser demo");
    demo::describe(line, options, words);
    if (const auto code = line.parse(argc, argv, demo::exit_usage)) return *code;
    if (auto understood = demo::interpret(words, options); !understood) {
        std::fprintf(stderr, "hawser demo: %s\n", understood.error().text.c_str());
        return demo::exit_usage;
    }
    return demo::run(options);
}

}  // namespace hawser::app
