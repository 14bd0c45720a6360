// SPDX-License-Identifier: MIT
#include "platform/app/demo/ts_feed.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "platform/linux/clock.h"

namespace hawser::demo {
namespace {

using namespace literals;

constexpr std::uint8_t sync_byte = 0x47;  // ISO/IEC 13818-1, 2.4.3.3
// A second and more of stream: a source that connects anew for a moment makes the picture neither stop nor hurry.
constexpr int pipe_bytes = 1 << 20;
constexpr Duration child_patience = 2'000_ms;
constexpr std::uint32_t audio_kbps = 128;

std::vector<std::string> ffmpeg_arguments(std::uint32_t kbps) {
    // An eighth for tables, headers and the multiplexer's fill; the multiplexer holds the total to `kbps`.
    const std::uint32_t video = std::max(100u, kbps - kbps / 8 - std::min(kbps / 2, audio_kbps));
    const auto k = [](std::uint32_t n) { return std::to_string(n) + "k"; };
    return {"ffmpeg",
            "-hide_banner",
            "-loglevel",
            "error",
            "-nostdin",
            "-re",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=25",
            "-re",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:sample_rate=48000",
            "-c:v",
            "mpeg2video",
            "-threads",
            "1",
            "-g",
            "25",
            "-b:v",
            k(video),
            "-maxrate",
            k(video),
            "-bufsize",
            k(video / 2),
            "-c:a",
            "mp2",
            "-b:a",
            k(audio_kbps),
            "-f",
            "mpegts",
            "-muxrate",
            k(kbps),
            "-flush_packets",
            "1",
            "pipe:1"};
}

// Runs until told otherwise by a signal of its own: Ctrl-C in the terminal is for us, and we end the child.
Outcome<pid_t> spawn(const std::vector<std::string>& arguments, int output) {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    pid_t child = 0;
    const int error = posix_spawnp(&child, argv[0], &actions, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        errno = error;
        return system_problem("starting ffmpeg");
    }
    return child;
}

}  // namespace

bool TsFeed::has_ffmpeg() {
    const char* path = std::getenv("PATH");
    std::string rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        if (access((rest.substr(0, colon) + "/ffmpeg").c_str(), X_OK) == 0) return true;
        rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
    }
    return false;
}

Outcome<TsFeed> TsFeed::picture(std::uint32_t kbps) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return system_problem("pipe for the picture");
    os::Fd read_end(ends[0]);
    const os::Fd write_end(ends[1]);
    // Beside itself a smaller pipe works as well; it only holds less.
    fcntl(read_end.get(), F_SETPIPE_SZ, pipe_bytes);
    fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    auto child = spawn(ffmpeg_arguments(kbps), write_end.get());
    if (!child) return Failure{child.error()};
    TsFeed feed(std::move(read_end));
    feed.child_ = child.value();
    return feed;
}

Outcome<TsFeed> TsFeed::pattern(std::uint32_t kbps) {
    os::Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer.is_open()) return system_problem("timer for the pattern");
    TsFeed feed(std::move(timer));
    feed.gap_ = Duration{static_cast<std::int64_t>(payload_bytes) * 8 * 1'000'000 / kbps};
    feed.due_ = os::now();
    const itimerspec pace{.it_interval = os::to_timespec(feed.gap_.ns), .it_value = os::to_timespec(feed.gap_.ns)};
    timerfd_settime(feed.fd(), 0, &pace, nullptr);
    return feed;
}

TsFeed TsFeed::from_descriptor(os::Fd fd) {
    fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    return TsFeed(std::move(fd));
}

TsFeed::TsFeed(TsFeed&& other) noexcept
    : fd_(std::move(other.fd_)),
      child_(std::exchange(other.child_, 0)),
      begin_(other.begin_),
      end_(other.end_),
      gap_(other.gap_),
      due_(other.due_),
      made_(other.made_) {
    std::copy(other.buffer_.begin(), other.buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
}

TsFeed::~TsFeed() { end(); }

TsFeed::Got TsFeed::next(Payload& payload) {
    if (!fd_.is_open()) return Got::ended;
    return gap_.ns > 0 ? next_of_pattern(payload) : next_from_pipe(payload);
}

TsFeed::Got TsFeed::next_from_pipe(Payload& payload) {
    if (end_ - begin_ < payload_bytes) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        const ssize_t n = read(fd_.get(), buffer_.data() + end_, buffer_.size() - end_);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Got::nothing_yet;
        // What is left is less than a payload: the tail of a stream that was cut somewhere.
        if (n <= 0) return Got::ended;
        end_ += static_cast<std::size_t>(n);
        if (end_ < payload_bytes) return Got::nothing_yet;
    }
    std::memcpy(payload.data(), buffer_.data() + begin_, payload_bytes);
    begin_ += payload_bytes;
    // A stream out of step would be carried all the same, but its figures would speak of something else.
    for (std::size_t at = 0; at < payload_bytes; at += ts_packet_bytes)
        if (payload[at] != sync_byte) return Got::ended;
    return Got::payload;
}

// Null packets (PID 0x1FFF) whose content is a count, so that no two payloads are equal.
TsFeed::Got TsFeed::next_of_pattern(Payload& payload) {
    if (os::now() < due_) {
        std::uint64_t expirations = 0;
        // Only to make the timer unreadable until its next tick.
        if (read(fd_.get(), &expirations, sizeof expirations) < 0 && errno != EAGAIN) return Got::ended;
        return Got::nothing_yet;
    }
    due_ = due_ + gap_;
    for (std::size_t at = 0; at < payload_bytes; at += ts_packet_bytes) {
        std::uint8_t* packet = payload.data() + at;
        const std::uint8_t head[4] = {sync_byte, 0x1F, 0xFF, static_cast<std::uint8_t>(0x10 | (made_ & 0x0F))};
        std::memcpy(packet, head, sizeof head);
        std::memset(packet + 4, static_cast<int>(made_ & 0xFF), ts_packet_bytes - 4);
        std::memcpy(packet + 4, &made_, sizeof made_);
    }
    ++made_;
    return Got::payload;
}

void TsFeed::end() {
    if (child_ != 0) {
        kill(child_, SIGTERM);
        const Instant deadline = os::now() + child_patience;
        // It may be waiting for room in the pipe: read until it has closed its end.
        pollfd readable{fd_.get(), POLLIN, 0};
        while (os::now() < deadline && poll(&readable, 1, static_cast<int>(child_patience.ms())) > 0) {
            const ssize_t n = read(fd_.get(), buffer_.data(), buffer_.size());
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) break;
        }
        while (waitpid(child_, nullptr, WNOHANG) == 0) {
            if (os::now() >= deadline) kill(child_, SIGKILL);
            const timespec nap = os::to_timespec((5_ms).ns);
            nanosleep(&nap, nullptr);
        }
        child_ = 0;
    }
    fd_.reset();
}

}  // namespace hawser::demo
