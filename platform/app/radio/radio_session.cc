// SPDX-License-Identifier: MIT
#include "platform/app/radio/radio_session.h"

#include <cstdio>
#include <utility>

#include "engine/radio/address.h"
#include "platform/app/random.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

std::optional<control::GroupSpec> group_of(const RadioOptions& options) {
    const auto name = radio::parse_radio_name(options.name);
    if (!name) {
        std::fprintf(stderr, "hawser radio: '%s' names no radiod (name or group, :port, and ,interface)\n",
                     options.name.c_str());
        return std::nullopt;
    }
    control::GroupSpec spec;
    spec.group = name->literal ? *name->literal : Endpoint::from_v4(radio::status_group_of_name(name->host), 0);
    spec.group.port = name->port != 0 ? name->port : radio::status_port;
    spec.interface = options.interface.empty() ? name->interface : options.interface;
    if (!options.source.empty()) spec.source = os::parse_address(options.source);
    return spec;
}

RadioSession::RadioSession(const RadioOptions& options)
    : name_(options.name),
      service_({}, Random(random_value<std::uint64_t>())),
      link_(
          loop_, service_, options.ttl,
          [this](const radio::RadioEvent& e) {
              if (on_event_) on_event_(e);
          },
          [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); }) {}

std::unique_ptr<RadioSession> RadioSession::open(const RadioOptions& options) {
    const auto group = group_of(options);
    if (!group) return nullptr;
    std::unique_ptr<RadioSession> session(new RadioSession(options));
    const auto added = session->link_.add(*group);
    if (!added) {
        std::fprintf(stderr, "hawser radio: %s\n", added.error().text().c_str());
        return nullptr;
    }
    session->radio_ = *added;
    return session;
}

int RadioSession::run(std::function<void(const radio::RadioEvent&)> on_event) {
    on_event_ = std::move(on_event);
    loop_.on_signals({SIGINT, SIGTERM}, [this](int) { loop_.quit(0); });
    link_.pump();
    return loop_.run();
}

}  // namespace hawser::app
