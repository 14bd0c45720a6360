// SPDX-License-Identifier: MIT
// One radiod for the length of a command: its status group joined, the service behind it, and the loop of both.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/radio/service.h"
#include "platform/control/radio/radio_link.h"

namespace hawser::app {

struct RadioOptions {
    std::string name;       // `name|group[:port][,interface]`
    std::string interface;  // instead of the name's
    std::string source;     // only from there
    int ttl = 1;
    std::string cache;  // of what was learned: a path, "none", or empty for the usual place
};

// The status group that the options name (platform/control/radio/radio_names.h), by the cache where it knows the name.
// Empty with a word on stderr. May wait for a lookup. `found`: what a name turned out to be, for a complaint.
[[nodiscard]] std::optional<control::GroupSpec> group_of(const RadioOptions& options,
                                                         control::StateCache* cache = nullptr,
                                                         std::string* found = nullptr);
// As the option says; null for "none".
[[nodiscard]] std::unique_ptr<control::StateCache> open_cache(control::Loop& loop, const std::string& option,
                                                              control::StateCache::Notice notice);

class RadioSession {
public:
    // Says on stderr what is wrong and answers null.
    [[nodiscard]] static std::unique_ptr<RadioSession> open(const RadioOptions& options);

    // Runs until an event's handler, or a signal, ends it; answers the exit code.
    int run(std::function<void(const radio::RadioEvent&)> on_event);
    void end(int code) { loop_.quit(code); }

    control::Loop& loop() { return loop_; }
    radio::Service& service() { return service_; }
    control::RadioLink& link() { return link_; }
    [[nodiscard]] radio::RadioId radio() const { return radio_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    // As a complaint names it: "hf,lo (239.1.2.3:5006, computed from the name: ...)".
    [[nodiscard]] std::string full_name() const { return found_.empty() ? name_ : name_ + " (" + found_ + ")"; }
    // Null when it is switched off.
    [[nodiscard]] control::StateCache* cache() { return cache_.get(); }

private:
    explicit RadioSession(const RadioOptions& options);

    std::string name_;
    std::string found_;
    control::Loop loop_;
    std::unique_ptr<control::StateCache> cache_;
    radio::Service service_;
    std::function<void(const radio::RadioEvent&)> on_event_;
    control::RadioLink link_;
    radio::RadioId radio_;
};

}  // namespace hawser::app
