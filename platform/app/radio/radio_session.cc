// SPDX-License-Identifier: MIT
#include "platform/app/radio/radio_session.h"

#include <cstdio>
#include <utility>

#include "engine/radio/address.h"
#include "platform/app/commands/options.h"
#include "platform/app/random.h"
#include "platform/control/radio/dns_sd.h"
#include "platform/control/radio/group_socket.h"
#include "platform/linux/clock.h"
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

namespace {

// By who announces the name, on that interface where one is named. Blocks.
std::optional<control::FoundGroup> find_announced(const radio::RadioName& name, const std::string& interface) {
    constexpr Duration browse_patience{1'500'000'000};  // avahi says what it knows within a second or so
    for (const control::RadioInstance& r : control::browse_radios(browse_patience).instances) {
        if (r.host != name.host || (!interface.empty() && r.interface != "lo" && r.interface != interface)) continue;
        control::FoundGroup found{r.group, control::FoundGroup::How::looked_up, "by DNS-SD"};
        if (name.port != 0) found.group.port = name.port;
        return found;
    }
    return std::nullopt;
}

// By the resolver, else by who announces the name. Blocks.
control::FoundGroup find_afresh(const radio::RadioName& name, const std::string& interface) {
    control::FoundGroup found = control::find_group(name);
    if (found.how != control::FoundGroup::How::computed) return found;
    return find_announced(name, interface).value_or(found);
}

control::GroupSpec group_spec_of(const RadioOptions& options, const radio::RadioName& name, const Endpoint& group) {
    control::GroupSpec spec;
    spec.group = group;
    if (name.port != 0) spec.group.port = name.port;
    spec.interface = options.interface.empty() ? name.interface : options.interface;
    if (!options.source.empty()) spec.source = os::parse_address(options.source);
    return spec;
}

}  // namespace

std::vector<control::GroupSpec> groups_afresh(const RadioOptions& options) {
    if (!is_radio_name(options.name)) return {};
    const auto name = radio::parse_radio_name(options.name);
    const control::FoundGroup found = control::find_group(*name);
    std::vector<control::GroupSpec> out{group_spec_of(options, *name, found.group)};
    if (found.how != control::FoundGroup::How::computed) return out;
    const auto announced = find_announced(*name, control::plain_interface(out.front().interface));
    if (announced && announced->group != out.front().group)
        out.push_back(group_spec_of(options, *name, announced->group));
    return out;
}

std::optional<control::GroupSpec> group_of(const RadioOptions& options, control::StateCache* cache,
                                           std::string* found) {
    if (!is_radio_name(options.name)) return std::nullopt;
    const auto name = radio::parse_radio_name(options.name);
    const auto known = cache != nullptr && !name->literal ? cache->group_of(name->host) : std::nullopt;
    control::FoundGroup group{known.value_or(Endpoint{}), control::FoundGroup::How::looked_up, "as the cache has it"};
    if (!known) group = control::find_group(*name);
    if (cache != nullptr && !known) control::learn_group(*cache, *name, group);
    if (found != nullptr && !name->literal) *found = group.text();
    return group_spec_of(options, *name, group.group);
}

RadioSession::RadioSession(const RadioOptions& options)
    : name_(options.name),
      cache_(open_cache(loop_, options.cache,
                        [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); })),
      service_({}, Random(random_value<std::uint64_t>())),
      link_(
          loop_, service_, options.ttl, [this](const radio::RadioEvent& e) { take(e); },
          [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); }),
      lookups_(loop_, "hawser-lookup") {
    if (cache_) link_.remember_in(*cache_);
    // Before the lookup: what comes meanwhile is served when it runs.
    loop_.on_signals({SIGINT, SIGTERM}, [this](int) { loop_.quit(ended_); });
}

Result<std::unique_ptr<RadioSession>, int> RadioSession::open(const RadioOptions& options) {
    std::unique_ptr<RadioSession> session(new RadioSession(options));
    const auto group = group_of(options, session->cache(), &session->found_);
    if (!group) return Failure{exit_usage};
    session->group_ = *group;
    session->is_literal_ = radio::parse_radio_name(options.name)->literal.has_value();
    const auto added = session->link_.add(*group, control::plain_name(*radio::parse_radio_name(options.name)));
    if (!added) {
        std::fprintf(stderr, "hawser radio: %s\n", added.error().text().c_str());
        return Failure{exit_failed};
    }
    session->radio_ = *added;
    return session;
}

int RadioSession::run(Ends ends, std::function<void()> begin, std::function<void(const radio::RadioEvent&)> on_event) {
    begin_ = std::move(begin);
    on_event_ = std::move(on_event);
    ended_ = ends == Ends::when_told ? exit_ok : exit_failed;
    begin_();
    link_.pump();
    return loop_.run();
}

void RadioSession::take(const radio::RadioEvent& e) {
    if (!on_event_ || !(e.radio == radio_)) return;
    if (to_verify_ && link_.heard(radio_)) remember();
    if (!shows_nobody(e)) return on_event_(e);
    const bool is_first = !renewed_;
    if (!is_renewing_ && (is_first || os::now() - *renewed_ >= renewal_interval)) renew();
    if (is_first && is_renewing_)
        held_.push_back(e);
    else
        on_event_(e);
}

bool RadioSession::shows_nobody(const radio::RadioEvent& e) const {
    using Kind = radio::RadioEventKind;
    const bool is_over =
        e.kind == Kind::expired || e.kind == Kind::channel_unreachable || (e.kind == Kind::list_done && e.answers == 0);
    return is_over && !is_literal_ && !link_.heard(radio_);
}

void RadioSession::renew() {
    const std::string interface = control::plain_interface(group_.interface);
    is_renewing_ = lookups_.post([this, name = *radio::parse_radio_name(name_), interface]() -> control::Worker::Done {
        return [this, found = find_afresh(name, interface)] { on_renewed(found); };
    });
}

void RadioSession::on_renewed(const control::FoundGroup& found) {
    is_renewing_ = false;
    renewed_ = os::now();
    const auto held = std::exchange(held_, {});
    const bool is_known = found.how != control::FoundGroup::How::computed;
    if (link_.heard(radio_)) {
        // It was late: what had been given up is asked again.
        if (!held.empty()) begin_();
    } else if (is_known && !(found.group == group_.group)) {
        move_to(found);
    } else if (left_) {
        move_to({*left_, control::FoundGroup::How::looked_up, "as before"});
        to_verify_.reset();  // it may have been computed
    } else {
        for (const radio::RadioEvent& e : held) on_event_(e);
    }
    link_.pump();
}

void RadioSession::move_to(const control::FoundGroup& found) {
    control::GroupSpec spec = group_;
    spec.group = found.group;
    const std::string host = radio::parse_radio_name(name_)->host;
    const auto added = link_.add(spec, host);
    if (!added) {
        std::fprintf(stderr, "hawser radio: %s\n", added.error().text().c_str());
        return loop_.quit(exit_failed);
    }
    // There and back again: what goes on so is no news.
    if (moves_++ < 2)
        std::fprintf(stderr, "hawser radio: nobody answers at %s; trying %s\n", os::endpoint_text(group_.group).c_str(),
                     found.text().c_str());
    link_.drop(radio_);
    radio_ = *added;
    left_ = group_.group;
    group_ = spec;
    found_ = found.text();
    to_verify_ = found;
    begin_();
}

void RadioSession::remember() {
    if (cache_) control::learn_group(*cache_, *radio::parse_radio_name(name_), *to_verify_);
    to_verify_.reset();
}

}  // namespace hawser::app
