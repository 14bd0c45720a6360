// SPDX-License-Identifier: MIT
#include "platform/app/demo/demo.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "platform/app/demo/bond_ends.h"
#include "platform/app/demo/link_emulator.h"
#include "platform/app/demo/on_time.h"
#include "platform/app/demo/report.h"
#include "platform/app/demo/srt_sink.h"
#include "platform/app/demo/srt_source.h"
#include "platform/linux/clock.h"

namespace hawser::demo {
namespace {

using namespace literals;

// Issue's definition of on time: SRT hands over at its latency after sending; 300 ms take out what was not on time.
constexpr Duration grace = 300_ms;
constexpr Duration connect_patience = 10'000_ms;
constexpr std::uint32_t first_source = 0x7F000002;    // 127.0.0.2
constexpr std::uint32_t first_upstream = 0x7F000102;  // 127.0.1.2

// SIGINT and SIGTERM are waited for, by this thread alone; it is made before any other thread.
class Interrupts {
public:
    Interrupts() {
        sigemptyset(&wanted_);
        sigaddset(&wanted_, SIGINT);
        sigaddset(&wanted_, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &wanted_, &before_);
    }
    ~Interrupts() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    // True when one came; false at the instant.
    [[nodiscard]] bool wait_until(Instant until) const {
        const timespec left = os::to_timespec(std::max<std::int64_t>((until - os::now()).ns, 0));
        return sigtimedwait(&wanted_, nullptr, &left) > 0;
    }

private:
    sigset_t wanted_;
    sigset_t before_;
};

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

class Demo {
public:
    explicit Demo(const Options& options)
        : options_(options),
          screen_(options.json ? stderr : stdout),
          books_(Duration{options.latency_ms * 1'000'000} + grace) {}

    int run() {
        auto started = start();
        if (started) started = await_connection();
        if (!started) {
            std::fprintf(stderr, "hawser demo: %s\n", started.error().text.c_str());
            return 1;
        }
        const bool played = play();
        drain();
        show_outcome();
        return played ? 0 : 1;
    }

private:
    Outcome<Unit> start();
    Outcome<Unit> start_source(std::uint16_t port);
    Outcome<Unit> await_connection();
    bool play();
    void drain();
    void show_table(double seconds);
    void show_outcome();
    [[nodiscard]] std::vector<LinkRow> rows();

    const Options& options_;
    const Interrupts interrupts_;
    std::FILE* screen_;
    OnTime books_;
    File keep_;
    bool picture_ = false;
    bool interrupted_ = false;
    bool redraws_ = false;
    Instant begun_;
    Duration played_;
    const SrtLibrary srt_;
    // In order of start: destroyed from the last, so that each loses its next one only when it is gone itself.
    std::unique_ptr<SrtSink> sink_;
    std::unique_ptr<BondEnds> bond_;
    std::unique_ptr<LinkEmulator> emulator_;
    std::unique_ptr<SrtSource> source_;
};

Outcome<Unit> Demo::start() {
    if (!options_.keep_ts.empty()) {
        keep_.reset(std::fopen(options_.keep_ts.c_str(), "wb"));
        if (!keep_) return system_problem("--keep-ts " + options_.keep_ts);
    }
    picture_ = !options_.pattern && TsFeed::has_ffmpeg();
    if (!options_.pattern && !picture_)
        std::fputs("hawser demo: ffmpeg is not installed: a counted pattern takes the picture's place\n", stderr);

    auto sink = SrtSink::start(
        {.host = "127.0.0.1",
         .port = 0,
         .latency_ms = options_.latency_ms,
         .on_payload = [this](std::span<const std::uint8_t> payload, std::uint32_t sequence, Instant now) {
             books_.received(sequence, payload_hash(payload), now);
             if (keep_) std::fwrite(payload.data(), 1, payload.size(), keep_.get());
         }});
    if (!sink) return Failure{sink.error()};
    sink_ = std::move(sink.value());

    auto bond = BondEnds::start_receiver(options_.io, sink_->port());
    if (!bond) return Failure{bond.error()};
    bond_ = std::move(bond.value());

    LinkEmulator::Options links{
        .target_port = bond_->receiver_port(), .links = {}, .dark = options_.dark, .seed = options_.seed};
    std::vector<std::uint32_t> sources;
    for (std::uint32_t i = 0; i < options_.links.size(); ++i) {
        links.links.push_back({first_source + i, first_upstream + i, options_.links[i]});
        sources.push_back(first_source + i);
    }
    auto emulator = LinkEmulator::start(links);
    if (!emulator) return Failure{emulator.error()};
    emulator_ = std::move(emulator.value());

    if (auto sender = bond_->start_sender(options_, emulator_->port(), sources); !sender)
        return Failure{sender.error()};
    return start_source(bond_->caller_port());
}

Outcome<Unit> Demo::start_source(std::uint16_t port) {
    const std::uint32_t kbps = options_.bitrate_kbps;
    const bool picture = picture_;
    auto source = SrtSource::start(
        {.host = "127.0.0.1",
         .port = port,
         .latency_ms = options_.latency_ms,
         .open_feed = [kbps, picture] { return picture ? TsFeed::picture(kbps) : TsFeed::pattern(kbps); },
         .on_payload =
             [this](const Payload& payload, std::optional<std::uint32_t> sequence, Instant now) {
                 if (sequence)
                     books_.sent(*sequence, payload_hash(payload), now);
                 else
                     books_.refused();
             }});
    if (!source) return Failure{source.error()};
    source_ = std::move(source.value());
    return Unit{};
}

Outcome<Unit> Demo::await_connection() {
    const Instant deadline = os::now() + connect_patience;
    for (;;) {
        const SrtSource::Status status = source_->status();
        if (status.state == SrtSource::State::failed) return Failure{Problem{status.problem}};
        if (status.state != SrtSource::State::connecting) return Unit{};
        const Instant now = os::now();
        if (now >= deadline) break;
        if (interrupts_.wait_until(now + 10_ms)) return Failure{Problem{"interrupted before there was a connection"}};
    }
    std::string links;
    for (const LinkRow& row : rows()) links += " " + row.source + " " + row.state + ";";
    return Failure{Problem{
        fmt::format("no SRT connection through the bond within {} s; links:{}", connect_patience.ms() / 1000, links)}};
}

// False when the picture ended by itself.
bool Demo::play() {
    begun_ = os::now();
    emulator_->begin_scenario(begun_);
    const Instant end = options_.seconds == 0 ? never : begun_ + Duration{options_.seconds * 1'000'000'000LL};
    for (std::int64_t second = 1;; ++second) {
        const Instant next = begun_ + 1'000_ms * second;
        interrupted_ = interrupts_.wait_until(std::min(next, end));
        const Instant now = os::now();
        played_ = now - begun_;
        const bool fed = source_->status().state == SrtSource::State::playing;
        show_table(static_cast<double>(played_.ns) / 1e9);
        if (!fed) {
            std::fprintf(stderr, "hawser demo: the picture ended by itself after %lld ms\n",
                         static_cast<long long>(played_.ms()));
            return false;
        }
        if (interrupted_ || now >= end) return true;
    }
}

// Waits for what is on its way, unless interrupted once more.
void Demo::drain() {
    source_->end_feed();
    for (Instant now = os::now(); books_.figures(now).waiting > 0; now = os::now())
        if (interrupts_.wait_until(now + 20_ms)) break;
}

std::vector<LinkRow> Demo::rows() {
    std::vector<LinkRow> links = bond_->links();
    const Instant now = os::now();
    for (std::size_t i = 0; i < links.size(); ++i) links[i].dark = emulator_->is_dark(i, now);
    return links;
}

void Demo::show_table(double seconds) {
    const std::string text = table(seconds, rows(), books_.figures(os::now()));
    // On a terminal the table stays in its place.
    if (redraws_) fmt::print(screen_, "\x1b[{}A", std::count(text.begin(), text.end(), '\n'));
    redraws_ = isatty(fileno(screen_)) != 0;
    std::fputs(text.c_str(), screen_);
    std::fflush(screen_);
}

void Demo::show_outcome() {
    const SrtSource::Status source = source_->status();
    const Summary summary{.seconds = static_cast<double>(played_.ns) / 1e9,
                          .interrupted = interrupted_,
                          .picture = picture_,
                          .io = bond_->io_name(),
                          .srt_retransmissions = source.retransmitted,
                          .srt_connections = source.connections,
                          .figures = books_.figures(os::now()),
                          .links = rows(),
                          .emulated = emulator_->counts()};
    std::fputs(in_words(options_, summary).c_str(), screen_);
    std::fflush(screen_);
    if (options_.json) std::printf("%s\n", as_json(options_, summary).c_str());
    std::fflush(stdout);
}

}  // namespace

int run(const Options& options) { return Demo(options).run(); }

}  // namespace hawser::demo
