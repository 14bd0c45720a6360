// SPDX-License-Identifier: MIT
// One end of an SRT stream for the end-to-end scenarios, with a log that the lab reads while it runs.
//   srt-end source HOST PORT LATENCY_MS KBPS LOG STREAM [LOCAL_PORT]   a live test picture, to a listener
//                                                                      KBPS `stdin`: a stream from there
//   srt-end sink   HOST PORT LATENCY_MS LOG STREAM                     from one caller after another
// STREAM takes the bytes of every payload that was sent, or handed over. LOG has a line each:
//   P SEQUENCE HASH NS    payload: SRT's packet sequence, 64-bit hash, CLOCK_MONOTONIC when sent or handed over
//   R NS                  payload that SRT did not take
//   C NS COUNT            so many connections by now
//   E NS                  the sink's caller has gone
// SIGTERM ends it; the source then waits until SRT has had its latency to repeat what was lost.
#include <signal.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "platform/app/demo/on_time.h"
#include "platform/app/demo/srt_library.h"
#include "platform/app/demo/srt_sink.h"
#include "platform/app/demo/srt_source.h"
#include "platform/linux/clock.h"

namespace {

using namespace hawser;
using namespace hawser::literals;

constexpr Duration watch_every = 20_ms;

class Log {
public:
    Log(const char* log, const char* stream) : log_(std::fopen(log, "w")), stream_(std::fopen(stream, "wb")) {
        if (log_ == nullptr || stream_ == nullptr) {
            std::fprintf(stderr, "srt-end: cannot write %s and %s\n", log, stream);
            std::exit(1);
        }
        std::setvbuf(log_, nullptr, _IOLBF, 0);
    }
    ~Log() {
        std::fclose(log_);
        std::fclose(stream_);
    }
    void payload(std::span<const std::uint8_t> bytes, std::uint32_t sequence, Instant now) {
        std::fprintf(log_, "P %" PRIu32 " %016" PRIx64 " %" PRId64 "\n", sequence, demo::payload_hash(bytes), now.ns);
        std::fwrite(bytes.data(), 1, bytes.size(), stream_);
    }
    void refused(Instant now) { std::fprintf(log_, "R %" PRId64 "\n", now.ns); }
    // Says it only when it is news.
    void connections(std::uint32_t count) {
        if (count == connections_) return;
        connections_ = count;
        std::fprintf(log_, "C %" PRId64 " %" PRIu32 "\n", os::now().ns, count);
    }
    void connected(bool is_connected) {
        if (is_connected_ && !is_connected) std::fprintf(log_, "E %" PRId64 "\n", os::now().ns);
        is_connected_ = is_connected;
    }

private:
    std::FILE* log_;
    std::FILE* stream_;
    std::uint32_t connections_ = 0;
    bool is_connected_ = false;
};

bool told_to_stop(const sigset_t& signals, Duration within) {
    const timespec wait = os::to_timespec(within.ns);
    return sigtimedwait(&signals, nullptr, &wait) > 0;
}

template <class End>
int fail(const demo::Outcome<End>& end) {
    std::fprintf(stderr, "srt-end: %s\n", end.error().text.c_str());
    return 1;
}

int run_source(char** argv, std::uint16_t local_port, const sigset_t& signals) {
    const auto latency_ms = static_cast<std::uint32_t>(std::atoi(argv[2]));
    const bool is_given = std::strcmp(argv[3], "stdin") == 0;
    const auto kbps = static_cast<std::uint32_t>(std::atoi(argv[3]));
    Log log(argv[4], argv[5]);
    auto source = demo::SrtSource::start(
        {.host = argv[0],
         .port = static_cast<std::uint16_t>(std::atoi(argv[1])),
         .local_port = local_port,
         .latency_ms = latency_ms,
         .open_feed = [kbps, is_given]() -> demo::Outcome<demo::TsFeed> {
             if (is_given) return demo::TsFeed::from_descriptor(os::Fd(dup(STDIN_FILENO)));
             return demo::TsFeed::picture(kbps);
         },
         .on_payload =
             [&log](const demo::Payload& payload, std::optional<std::uint32_t> sequence, Instant now) {
                 if (sequence)
                     log.payload(payload, *sequence, now);
                 else
                     log.refused(now);
             }});
    if (!source) return fail(source);
    while (!told_to_stop(signals, watch_every)) {
        const demo::SrtSource::Status status = source.value()->status();
        log.connections(status.connections);
        if (status.state == demo::SrtSource::State::ended || status.state == demo::SrtSource::State::failed) {
            std::fprintf(stderr, "srt-end: the feed ended %s\n", status.problem.c_str());
            return 1;
        }
    }
    source.value()->end_feed();
    // A second signal ends the wait.
    told_to_stop(signals, Duration{latency_ms * 1'000'000LL} + 300_ms);
    return 0;
}

int run_sink(char** argv, const sigset_t& signals) {
    Log log(argv[3], argv[4]);
    auto sink =
        demo::SrtSink::start({.host = argv[0],
                              .port = static_cast<std::uint16_t>(std::atoi(argv[1])),
                              .latency_ms = static_cast<std::uint32_t>(std::atoi(argv[2])),
                              .on_payload = [&log](std::span<const std::uint8_t> payload, std::uint32_t sequence,
                                                   Instant now) { log.payload(payload, sequence, now); }});
    if (!sink) return fail(sink);
    while (!told_to_stop(signals, watch_every)) {
        const demo::SrtSink::Status status = sink.value()->status();
        log.connections(status.connections);
        log.connected(status.connected);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const bool source = argc >= 8 && argc <= 9 && std::strcmp(argv[1], "source") == 0;
    const bool sink = argc == 7 && std::strcmp(argv[1], "sink") == 0;
    if (!source && !sink) {
        std::fputs(
            "usage: srt-end source HOST PORT LATENCY_MS KBPS LOG STREAM [LOCAL_PORT]\n"
            "       srt-end sink HOST PORT LATENCY_MS LOG STREAM\n",
            stderr);
        return 2;
    }
    // Before any thread is made, so that all inherit it.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    const demo::SrtLibrary library;
    if (sink) return run_sink(argv + 2, signals);
    return run_source(argv + 2, argc == 9 ? static_cast<std::uint16_t>(std::atoi(argv[8])) : std::uint16_t{0}, signals);
}
