// SPDX-License-Identifier: MIT
#include "platform/app/flight/flight_dumps.h"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <new>
#include <utility>

#include "platform/app/budget_file.h"
#include "platform/app/lack_of_memory.h"
#include "platform/app/log.h"
#include "platform/app/plain_text.h"
#include "platform/control/rpc/arguments.h"
#include "platform/linux/clock.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/replace_file.h"

namespace hawser::app {

namespace {

// Figures that the pump published between the order and its carrying out do not say "held" yet.
constexpr int tries_max = 8;
constexpr std::size_t name_bytes_max = 128;

// A file of the folder itself: no other place, no hidden file, nothing that a shell would stumble over.
bool is_file_name(const std::string& name) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
               c == '_';
    };
    return !name.empty() && name.size() <= name_bytes_max && name[0] != '.' && name[0] != '-' &&
           std::all_of(name.begin(), name.end(), is_plain);
}

// "hawser-send-20261121T154007.123Z.pcapng".
std::string name_of_now(const std::string& role) {
    std::string time = utc_text();
    time.erase(std::remove_if(time.begin(), time.end(), [](char c) { return c == '-' || c == ':'; }), time.end());
    return "hawser-" + role + "-" + time + ".pcapng";
}

// As far as the bound.
std::size_t count_files(const std::string& folder) {
    std::size_t count = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator file(folder, error), end;
         !error && file != end && count < recordings_bound; file.increment(error))
        ++count;
    return count;
}

std::string no_memory() { return "there is no memory for it (--recorder-packets, --recorder-payload)"; }

}  // namespace

FlightDumps::FlightDumps(control::Loop& loop, const RecorderSettings& settings, std::string role, Pump pump)
    : settings_(settings), role_(std::move(role)), pump_(std::move(pump)), worker_(loop, "hawser-dump", 1, 1) {
    if (settings_.folder.empty()) settings_.folder = default_state_folder() + "/recordings";
}

Result<std::string, std::string> FlightDumps::begin(const std::string& name) {
    if (settings_.packets == 0) return Failure{std::string("the flight recorder is off (--recorder-packets)")};
    if (is_busy_) return Failure{std::string("a recording is being written")};
    if (!name.empty() && !is_file_name(name))
        return Failure{std::string("a recording's name has letters, digits, '.', '-' and '_' only, and no folder")};
    const std::string path = settings_.folder + "/" + (name.empty() ? name_of_now(role_) : name);
    if (::access(path.c_str(), F_OK) == 0) return Failure{path + " is there already"};
    if (count_files(settings_.folder) >= recordings_bound)
        return Failure{fmt::format("{} has {} recordings already: take some away", settings_.folder, recordings_bound)};
    pump_.order(CommandKind::hold_recorder);
    if (!pump_.when_fresh([this] { take_copy(tries_max); })) {
        pump_.order(CommandKind::resume_recorder);
        return Failure{std::string("too much else is asked for at once")};
    }
    is_busy_ = true;
    awaited_ = path;
    return path;
}

void FlightDumps::take_copy(int tries_left) {
    if (awaited_.empty()) return;
    if (!pump_.is_still() && tries_left > 0 && pump_.when_fresh([this, tries_left] { take_copy(tries_left - 1); }))
        return;
    const std::string path = std::exchange(awaited_, {});
    auto made = copy();
    pump_.order(CommandKind::resume_recorder);
    if (!made) return end({path, 0, 0, made.error()});
    write(path, std::move(made).value());
}

Result<FlightCopy, std::string> FlightDumps::copy() const {
    if (!pump_.is_still()) return Failure{std::string("the pump did not answer")};
    try {
        const LackOfMemory told;
        FlightCopy made = pump_.copy();
        made.at = os::now();
        made.utc_ns =
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count();
        return made;
    } catch (const std::bad_alloc&) {
        return Failure{no_memory()};
    }
}

void FlightDumps::write(const std::string& path, FlightCopy copy) {
    // Shared, as a job may be copied, and this is as large as the recorder.
    const auto made = std::make_shared<const FlightCopy>(std::move(copy));
    const bool is_posted = worker_.post([this, path, made]() -> control::Worker::Done {
        const Last last = write_file(path, *made);
        return [this, last] { end(last); };
    });
    if (!is_posted) end({path, 0, 0, "no thread can be had to write it"});
}

FlightDumps::Last FlightDumps::write_file(const std::string& path, const FlightCopy& copy) {
    try {
        const LackOfMemory told;
        Last last{path, 0, 0, {}};
        auto file = os::FileDraft::begin(path, {.makes_folder = true, .is_private = true});
        if (!file) {
            last.error = os::errno_text(file.error());
            return last;
        }
        Result<Unit, Errno> written = Unit{};
        last.packets = flight_capture(copy, [&](std::string_view piece) {
            last.bytes += piece.size();
            written = file->write(piece);
            return bool(written);
        });
        if (written) written = file->finish();
        if (!written) last.error = os::errno_text(written.error());
        return last;
    } catch (const std::bad_alloc&) {
        return {path, 0, 0, no_memory()};
    }
}

void FlightDumps::end(Last last) {
    is_busy_ = false;
    if (last.error.empty())
        log(Level::info, "flight recorder: {} packets in {} ({} bytes)", last.packets, last.path, last.bytes);
    else
        log(Level::error, "flight recorder: {} cannot be written: {}", last.path, last.error);
    last_ = std::move(last);
}

void FlightDumps::finish() {
    if (is_busy_) take_copy(0);
    worker_.finish();
    worker_.hand_out();
}

rpc::Json FlightDumps::status() const {
    rpc::Json last = nullptr;
    if (last_) {
        last = {{"path", last_->path}, {"packets", last_->packets}, {"bytes", last_->bytes}};
        if (!last_->error.empty()) last["error"] = last_->error;
    }
    return {{"packets_max", settings_.packets},
            {"payload_bytes", settings_.payload_bytes},
            {"folder", settings_.folder},
            {"writing", is_busy_},
            {"last", std::move(last)}};
}

void FlightDumps::add_methods(rpc::Methods& methods) {
    methods.add({"recorder.dump", rpc::Role::operate,
                 [this](const rpc::Params& params, const rpc::Caller& caller) -> rpc::Outcome {
                     std::string name;
                     if (rpc::find_argument(params, "name") != nullptr) {
                         const auto given = rpc::text_argument(params, "name", "a file name without a folder");
                         if (!given) return Failure{given.error()};
                         name = *given;
                     }
                     const auto path = begin(name);
                     if (!path) return Failure{rpc::Error{rpc::Code::refused, path.error()}};
                     log(Level::info, "flight recorder: to be written to {}, asked for by {}", *path, caller.who);
                     return rpc::Json{{"path", *path}};
                 },
                 "name (optional): the last packets and what became of each, as a capture file in the recordings' "
                 "folder; recorder.status tells when it is there"});
    methods.add(
        {"recorder.status", rpc::Role::observe,
         [this](const rpc::Params&, const rpc::Caller&) -> rpc::Outcome { return status(); },
         "how many packets the flight recorder keeps, and of the last recording its path, packets and bytes, or "
         "the error"});
}

}  // namespace hawser::app
