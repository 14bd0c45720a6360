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
};

// The status group that the options name: literal, or radiod's own hash of the name. Empty with a word on stderr.
[[nodiscard]] std::optional<control::GroupSpec> group_of(const RadioOptions& options);

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

private:
    explicit RadioSession(const RadioOptions& options);

    std::string name_;
    control::Loop loop_;
    radio::Service service_;
    std::function<void(const radio::RadioEvent&)> on_event_;
    control::RadioLink link_;
    radio::RadioId radio_;
};

}  // namespace hawser::app
