// SPDX-License-Identifier: MIT
#include "platform/app/events/event_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "platform/app/figures.h"
#include "platform/control/json_text.h"
#include "platform/control/rotating_file.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/journal_socket.h"

namespace hawser::app {

namespace {

constexpr std::uint64_t mib = 1024 * 1024;

class FileSink final : public EventSink {
public:
    explicit FileSink(const EventLogSettings& s) : file_(s.to, s.size_mib * mib) {}
    [[nodiscard]] Result<Unit, Errno> open() { return file_.open(); }
    Outcome write(std::span<const EventEntry> entries) override {
        std::string text;
        for (const EventEntry& e : entries) text += e.line + "\n";
        const auto done = file_.append(text);
        return done ? Outcome{entries.size(), 0, 0} : Outcome{0, 0, done.error().value};
    }
    void reopen() override { file_.close(); }

private:
    control::RotatingFile file_;
};

// As syslog(3) numbers them.
const char* priority_of(Level level) {
    switch (level) {
        case Level::trace:
        case Level::debug: return "7";
        case Level::warn: return "4";
        case Level::error: return "3";
        case Level::info:
        case Level::off: break;
    }
    return "6";
}

class JournalSink final : public EventSink {
public:
    explicit JournalSink(const EventLogSettings& s)
        : socket_(s.journal_socket.empty() ? os::JournalSocket::usual_path : s.journal_socket) {}
    Outcome write(std::span<const EventEntry> entries) override {
        Outcome outcome;
        for (const EventEntry& e : entries) {
            const auto sent = socket_.send(fields_of(e));
            const bool is_too_large = !sent && sent.error().value == EMSGSIZE;
            if (!sent && !is_too_large) {
                outcome.error = sent.error().value;
                break;
            }
            ++outcome.done;
            if (is_too_large) ++outcome.unwritable;
        }
        return outcome;
    }
    void reopen() override {}

private:
    static std::string fields_of(const EventEntry& e) {
        std::string entry;
        os::add_journal_field(entry, "MESSAGE", e.text);
        os::add_journal_field(entry, "PRIORITY", priority_of(e.level));
        os::add_journal_field(entry, "SYSLOG_IDENTIFIER", "hawser");
        os::add_journal_field(entry, "HAWSER_KIND", e.kind);
        if (!e.uplink.empty()) os::add_journal_field(entry, "HAWSER_UPLINK", e.uplink);
        add_figures(entry, e.line);
        os::add_journal_field(entry, "HAWSER_EVENT", e.line);
        return entry;
    }
    // What the line says beside that, but for lists and objects: "rtt_ms":43 as HAWSER_RTT_MS=43.
    static void add_figures(std::string& entry, const std::string& line) {
        static constexpr std::array<std::string_view, 5> said{"time", "kind", "uplink", "level", "text"};
        const Json all = Json::parse(line, nullptr, false);
        if (!all.is_object()) return;
        for (const auto& [key, value] : all.items()) {
            if (value.is_structured() || value.is_null() || std::find(said.begin(), said.end(), key) != said.end())
                continue;
            std::string name = "HAWSER_";
            for (const char c : key) name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
            os::add_journal_field(entry, name, value.is_string() ? value.get<std::string>() : control::text_of(value));
        }
    }
    os::JournalSocket socket_;
};

std::string why_not(const Errno& error) {
    if (error.value == ENOTSUP) return "it is no file";
    if (error.value == EWOULDBLOCK) return "another program writes it; each needs a file of its own";
    return os::errno_text(error);
}

}  // namespace

Result<std::shared_ptr<EventSink>, std::string> open_event_sink(const EventLogSettings& settings) {
    if (settings.to == event_log_journal) return std::shared_ptr<EventSink>(std::make_shared<JournalSink>(settings));
    auto file = std::make_shared<FileSink>(settings);
    if (const auto opened = file->open(); !opened)
        return Failure{"the event log " + settings.to + " cannot be written: " + why_not(opened.error())};
    return std::shared_ptr<EventSink>(std::move(file));
}

}  // namespace hawser::app
