// SPDX-License-Identifier: MIT
#include "platform/app/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include "platform/app/output_thread.h"
#include "platform/linux/service_manager.h"

namespace hawser::app {

namespace {

struct LevelName {
    std::string_view name;
    Level level;
};
constexpr std::array<LevelName, 9> level_names{{{"trace", Level::trace},
                                                {"debug", Level::debug},
                                                {"info", Level::info},
                                                {"warn", Level::warn},
                                                {"warning", Level::warn},
                                                {"error", Level::error},
                                                {"err", Level::error},
                                                {"critical", Level::error},
                                                {"off", Level::off}}};

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::trace: return spdlog::level::trace;
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warn: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
        case Level::off: break;
    }
    return spdlog::level::off;
}

spdlog::logger& logger() {
    static spdlog::logger instance("hawser", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    return instance;
}

bool& for_journal() {
    static bool instance = false;
    return instance;
}

// As sd-daemon(3) has them before a line.
const char* journal_prefix(Level level) {
    switch (level) {
        case Level::trace:
        case Level::debug: return "<7>";
        case Level::info: return "<6>";
        case Level::warn: return "<4>";
        case Level::error: return "<3>";
        case Level::off: break;
    }
    return "";
}

// Lines that nobody reads are left out, and counted when there is room again.
class PatientSink final : public spdlog::sinks::base_sink<std::mutex> {
protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (lost_ != 0) {
            spdlog::details::log_msg about = message;
            const std::string text = fmt::format("{}{} lines are missing here: nobody read them",
                                                 for_journal() ? journal_prefix(Level::warn) : "", lost_);
            about.level = spdlog::level::warn;
            about.payload = text;
            if (standard_error().write(line_of(about))) lost_ = 0;
        }
        if (lost_ != 0 || !standard_error().write(line_of(message))) ++lost_;
    }
    void flush_() override {}

private:
    [[nodiscard]] std::string line_of(const spdlog::details::log_msg& message) {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        return std::string(line.data(), line.size());
    }

    std::size_t lost_ = 0;
};

std::function<void(Level, std::string_view)>& own_listener() {
    thread_local std::function<void(Level, std::string_view)> instance;
    return instance;
}

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
    for (const LevelName& row : level_names)
        if (row.name == text) return row.level;
    return std::nullopt;
}

void set_up_log(Level level, bool compat) {
    logger().sinks() = {std::make_shared<PatientSink>()};
    // The journal keeps time and level itself.
    for_journal() = os::is_journal(STDERR_FILENO);
    logger().set_pattern(compat || for_journal() ? "%v" : "%Y-%m-%d %H:%M:%S.%e %l: %v");
    logger().set_level(to_spdlog(level));
}

void set_log_level(Level level) { logger().set_level(to_spdlog(level)); }

std::string_view name_of(Level level) {
    for (const LevelName& row : level_names)
        if (row.level == level) return row.name;
    return "?";
}

void set_log_listener(std::function<void(Level, std::string_view)> listener) { own_listener() = std::move(listener); }

bool logs(Level level) { return logger().should_log(to_spdlog(level)); }

void log_line(Level level, std::string_view line) {
    if (for_journal())
        logger().log(to_spdlog(level), "{}{}", journal_prefix(level), line);
    else
        logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
    if (own_listener()) own_listener()(level, line);
}

}  // namespace hawser::app
