// SPDX-License-Identifier: MIT
// One radiod for the length of a command: its status group joined, the service behind it, and the loop of both.
// A group by name is a guess until somebody answers there: the cache may be late, and a computed one may be another's.
// When nobody does, the name is looked up afresh, and by DNS-SD where no resolver knows it; if either knows another
// group, the command begins again there, before it may complain. A group that is only computed is no reason to leave.
// An announcement may be older than its radiod: what goes on asks in turn where it is announced and where it was asked
// before, until somebody answers; and only who answers is remembered.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/radio/service.h"
#include "platform/control/radio/radio_link.h"
#include "platform/control/radio/radio_names.h"
#include "platform/control/worker.h"

namespace hawser::app {

struct RadioOptions {
    std::string name;       // `name|group[:port][,interface]`
    std::string interface;  // instead of the name's
    std::string source;     // only from there
    int ttl = 1;
    std::string cache;  // of what was learned: a path, "none", or empty for the usual place
};

// Whether it can be a radiod's name; says on stderr where not.
[[nodiscard]] bool is_radio_name(const std::string& text);
// The status group that the options name (platform/control/radio/radio_names.h), by the cache where it knows the name.
// Empty with a word on stderr where they name none. May wait for a lookup. `found`: what a name turned out to be, for a
// complaint.
[[nodiscard]] std::optional<control::GroupSpec> group_of(const RadioOptions& options,
                                                         control::StateCache* cache = nullptr,
                                                         std::string* found = nullptr);
// The same by the resolver; else the computed group, and the one of who announces the name, which takes 1.5 s: for
// whoever only listens, and would not notice that nobody is there. Empty with a word on stderr for no name.
[[nodiscard]] std::vector<control::GroupSpec> groups_afresh(const RadioOptions& options);
// As the option says; null for "none".
[[nodiscard]] std::unique_ptr<control::StateCache> open_cache(control::Loop& loop, const std::string& option,
                                                              control::StateCache::Notice notice);

class RadioSession {
public:
    // The error is the exit code, of which stderr tells why.
    [[nodiscard]] static Result<std::unique_ptr<RadioSession>, int> open(const RadioOptions& options);

    // What SIGINT and SIGTERM mean: a command that would have ended by itself has not done what it was to do; one that
    // goes on until it is told to end has.
    enum class Ends : std::uint8_t { by_itself, when_told };
    // Runs until an event's handler, or a signal, ends it; answers the exit code. `begin` asks what is asked, of the
    // radio() of then: now, and again if that changes.
    int run(Ends ends, std::function<void()> begin, std::function<void(const radio::RadioEvent&)> on_event);
    void end(int code) { loop_.quit(code); }

    control::Loop& loop() { return loop_; }
    radio::Service& service() { return service_; }
    control::RadioLink& link() { return link_; }
    [[nodiscard]] radio::RadioId radio() const { return radio_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const control::GroupSpec& group() const { return group_; }
    // As a complaint names it: "hf,lo (239.1.2.3:5006, computed from the name: ...)".
    [[nodiscard]] std::string full_name() const { return found_.empty() ? name_ : name_ + " (" + found_ + ")"; }
    // Null when it is switched off.
    [[nodiscard]] control::StateCache* cache() { return cache_.get(); }

private:
    // Beside a command that goes on, between two lookups of a radiod that does not answer. Untuned.
    static constexpr Duration renewal_interval{10'000'000'000};

    explicit RadioSession(const RadioOptions& options);
    void take(const radio::RadioEvent& event);
    [[nodiscard]] bool shows_nobody(const radio::RadioEvent& event) const;
    void renew();
    void on_renewed(const control::FoundGroup& found);
    void move_to(const control::FoundGroup& found);
    void remember();

    std::string name_;
    std::string found_;
    control::GroupSpec group_;
    control::Loop loop_;
    std::unique_ptr<control::StateCache> cache_;
    radio::Service service_;
    std::function<void()> begin_;
    std::function<void(const radio::RadioEvent&)> on_event_;
    control::RadioLink link_;
    radio::RadioId radio_;
    int ended_ = 1;  // the exit code that a signal makes
    control::Worker lookups_;
    bool is_literal_ = false;
    bool is_renewing_ = false;
    std::optional<Instant> renewed_;
    unsigned moves_ = 0;
    std::optional<Endpoint> left_;                  // where nobody answered
    std::optional<control::FoundGroup> to_verify_;  // where nobody has answered yet
    std::vector<radio::RadioEvent> held_;  // what shows nobody, until the name was looked up afresh for the first time
};

}  // namespace hawser::app
