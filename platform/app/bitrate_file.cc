// SPDX-License-Identifier: MIT
#include "platform/app/bitrate_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>

#include "platform/app/log.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/fd.h"
#include "platform/linux/process.h"
#include "platform/linux/replace_file.h"

namespace hawser::app {

namespace {

constexpr std::uint64_t step = 10'000;  // bit/s: finer is noise; belacoder itself rounds to 100 kbit/s
// Untuned: an encoder takes a new rate with the next picture group, and each rise is a bit of the stream's quality.
constexpr std::uint64_t change_share = 33;  // a thirty-third, 3 %, is worth writing
constexpr Duration fall_every{200'000'000};
constexpr Duration rise_every{1'000'000'000};
constexpr Duration drift_every{5'000'000'000};  // smaller changes
constexpr std::size_t text_max = 64;

// At most text_max bytes of a file; absent when it cannot be read.
std::optional<std::string> beginning_of(const std::string& path) {
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) return std::nullopt;
    std::string text(text_max, '\0');
    const ssize_t size = ::read(file.get(), text.data(), text.size());
    if (size < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    return text;
}

}  // namespace

std::string bitrate_text(std::uint64_t min, std::uint64_t max) {
    return std::to_string(min) + "\n" + std::to_string(max) + "\n";
}

std::optional<std::uint64_t> bitrate_in(std::string_view text) {
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos) return std::nullopt;
    text.remove_prefix(line + 1);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || (end != text.data() + text.size() && *end != '\n')) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> BitratePace::next(const SafeRate& rate, Instant now) const {
    if (!rate.is_known) return std::nullopt;
    const std::uint64_t bits = std::clamp(rate.bits_per_second / step * step, min_, max_);
    if (bits == written_) return std::nullopt;
    if (!written_at_) return bits;
    const Duration age = now - *written_at_;
    const std::uint64_t change = bits > written_ ? bits - written_ : written_ - bits;
    if (change < written_ / change_share && age < drift_every) return std::nullopt;
    if (age < (bits < written_ ? fall_every : rise_every)) return std::nullopt;
    return bits;
}

std::string bitrate_complaint(const BitrateFileSettings& s) {
    if (s.path.empty() || s.min <= s.max) return {};
    return "--bitrate-min " + std::to_string(s.min) + " is above --bitrate-max " + std::to_string(s.max);
}

std::string BitrateFile::write(std::uint64_t bits_per_second) const {
    const auto done = os::replace_file(settings_.path, bitrate_text(settings_.min, bits_per_second));
    return done ? std::string() : "cannot write " + settings_.path + ": " + os::errno_text(done.error());
}

std::string BitrateFile::tell() const {
    if (settings_.signal.empty()) return {};
    auto process = os::parse_process_id(settings_.signal);
    if (!process) {
        const auto text = beginning_of(settings_.signal);
        if (!text) return "no process to send SIGHUP: cannot read " + settings_.signal;
        process = os::parse_process_id(*text);
        if (!process) return "no process to send SIGHUP: " + settings_.signal + " holds no process id";
    }
    const auto told = os::tell(*process, SIGHUP);
    if (told) return {};
    const std::string who = "process " + std::to_string(*process);
    if (told.error().value == ESRCH) return who + ", which is to get SIGHUP, is not there";
    if (told.error().value == ECANCELED) return who + " does not handle SIGHUP, which would end it: not sent";
    return who + " does not get SIGHUP: " + os::errno_text(told.error());
}

void BitrateFile::report(std::string problem, std::string& last) {
    if (problem == last) return;
    if (problem.empty())
        log(Level::info, "bitrate for the encoder: works again");
    else
        log(Level::warn, "bitrate for the encoder: {}", problem);
    last = std::move(problem);
}

Result<Unit, std::string> BitrateFile::begin(Instant now) {
    if (settings_.path.empty()) return Unit{};
    if (std::string complaint = bitrate_complaint(settings_); !complaint.empty()) return Failure{complaint};
    const auto text = beginning_of(settings_.path);
    const std::uint64_t said = text ? bitrate_in(*text).value_or(0) : 0;
    const bool stands = said >= settings_.min && said <= settings_.max;
    const std::uint64_t first = stands ? said : settings_.min;
    if (std::string problem = write(first); !problem.empty()) return Failure{"--bitrate-file: " + problem};
    pace_.written(first, now);
    // A process must be there; one that a file names may come later.
    if (os::parse_process_id(settings_.signal)) {
        if (std::string problem = tell(); !problem.empty()) return Failure{"--bitrate-signal: " + problem};
    }
    return Unit{};
}

void BitrateFile::update(const SafeRate& rate, Instant now) {
    if (settings_.path.empty()) return;
    if (const auto bits = pace_.next(rate, now)) {
        std::string problem = write(*bits);
        if (problem.empty()) {
            pace_.written(*bits, now);
            is_told_ = false;
        }
        report(std::move(problem), write_problem_);
    }
    if (is_told_) return;
    is_told_ = true;
    report(tell(), signal_problem_);
}

}  // namespace hawser::app
