// SPDX-License-Identifier: MIT
#include "platform/app/radio/radio_session.h"

#include <cstdio>
#include <utility>

#include "engine/radio/address.h"
#include "platform/app/commands/options.h"
#include "platform/app/random.h"
#include "platform/control/radio/radio_names.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

std::unique_ptr<control::StateCache> open_cache(control::Loop& loop, const std::string& option,
                                                control::StateCache::Notice notice) {
    if (option == "none") return nullptr;
    const std::string path = option.empty() ? control::StateCache::default_path() : option;
    return std::make_unique<control::StateCache>(loop, path, std::move(notice));
}

bool is_radio_name(const std::string& text) {
    if (radio::parse_radio_name(text)) return true;
    std::fprintf(stderr, "hawser radio: '%s' names no radiod (name or group, :port, and ,interface)\n", text.c_str());
    return false;
}

std::optional<control::GroupSpec> group_of(const RadioOptions& options, control::StateCache* cache,
                                           std::string* found) {
    if (!is_radio_name(options.name)) return std::nullopt;
    const auto name = radio::parse_radio_name(options.name);
    control::GroupSpec spec;
    const auto known = cache != nullptr && !name->literal ? cache->group_of(name->host) : std::nullopt;
    control::FoundGroup group{known.value_or(Endpoint{}), control::FoundGroup::How::looked_up, "as the cache has it"};
    if (!known) group = control::find_group(*name);
    spec.group = group.group;
    if (name->port != 0) spec.group.port = name->port;
    if (cache != nullptr && !known) control::learn_group(*cache, *name, group);
    if (found != nullptr && !name->literal) *found = group.text();
    spec.interface = options.interface.empty() ? name->interface : options.interface;
    if (!options.source.empty()) spec.source = os::parse_address(options.source);
    return spec;
}

RadioSession::RadioSession(const RadioOptions& options)
    : name_(options.name),
      cache_(open_cache(loop_, options.cache,
                        [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); })),
      service_({}, Random(random_value<std::uint64_t>())),
      link_(
          loop_, service_, options.ttl,
          [this](const radio::RadioEvent& e) {
              if (on_event_) on_event_(e);
          },
          [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); }) {
    if (cache_) link_.remember_in(*cache_);
    // Before the lookup: what comes meanwhile is served when it runs.
    loop_.on_signals({SIGINT, SIGTERM}, [this](int) { loop_.quit(ended_); });
}

Result<std::unique_ptr<RadioSession>, int> RadioSession::open(const RadioOptions& options) {
    std::unique_ptr<RadioSession> session(new RadioSession(options));
    const auto group = group_of(options, session->cache(), &session->found_);
    if (!group) return Failure{exit_usage};
    session->group_ = *group;
    const auto added = session->link_.add(*group, radio::parse_radio_name(options.name)->host);
    if (!added) {
        std::fprintf(stderr, "hawser radio: %s\n", added.error().text().c_str());
        return Failure{exit_failed};
    }
    session->radio_ = *added;
    return session;
}

int RadioSession::run(Ends ends, std::function<void(const radio::RadioEvent&)> on_event) {
    on_event_ = std::move(on_event);
    ended_ = ends == Ends::when_told ? exit_ok : exit_failed;
    link_.pump();
    return loop_.run();
}

}  // namespace hawser::app
