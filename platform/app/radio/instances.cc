// SPDX-License-Identifier: MIT
#include "platform/app/radio/instances.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

#include "platform/app/commands/options.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/app/random.h"
#include "platform/control/json_text.h"
#include "platform/control/radio/dns_sd.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using Json = nlohmann::ordered_json;

struct Listed {
    control::RadioInstance instance;
    bool is_announced = false;
    std::string problem;  // the group cannot be joined
    std::optional<radio::RadioId> radio;
    bool is_listed = false;
    bool cut_short = false;  // there may be more channels
};

class Instances {
public:
    Instances(const RadioOptions& options, bool json)
        : options_(options),
          json_(json),
          cache_(open_cache(loop_, options.cache, complain)),
          browser_(loop_, "hawser-dns-sd"),
          service_({}, Random(random_value<std::uint64_t>())),
          link_(
              loop_, service_, options.ttl, [this](const radio::RadioEvent& e) { on_event(e); }, complain) {
        if (cache_) link_.remember_in(*cache_);
    }

    int run() {
        loop_.on_signals({SIGINT, SIGTERM}, [this](int) { loop_.quit(exit_failed); });
        const bool is_posted = browser_.post([this]() -> control::Worker::Done {
            return [this, result = control::browse_radios()] { on_browsed(result); };
        });
        if (!is_posted) {
            complain("no thread can be had to ask avahi on");
            return exit_failed;
        }
        // A daemon that hangs in a call is not waited for.
        limit_.set(os::now() + control::browse_limit * 2);
        loop_.watch(limit_.fd(), [this] { on_browsed({{}, "avahi does not answer"}); });
        if (cache_)
            for (const auto& [key, r] : cache_->state().radios) add_cached(r);
        link_.pump();
        const int code = loop_.run();
        loop_.unwatch(limit_.fd());
        return code;
    }

private:
    static void complain(const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); }

    [[nodiscard]] control::GroupSpec spec_of(const control::RadioInstance& instance) const {
        control::GroupSpec spec;
        spec.group = instance.group;
        spec.interface = options_.interface.empty() ? instance.interface : options_.interface;
        if (!options_.source.empty()) spec.source = os::parse_address(options_.source);
        return spec;
    }
    // Of the same radiod, by whatever name of the interface.
    [[nodiscard]] Listed* find(const control::RadioInstance& instance) {
        const control::GroupSpec spec = spec_of(instance);
        for (Listed& r : rows_)
            if (control::hears_all_of(spec_of(r.instance), spec)) return &r;
        return nullptr;
    }

    void add(Listed row) {
        // What hears more takes the place of what hears less.
        for (const Listed& r : rows_)
            if (control::hears_all_of(spec_of(row.instance), spec_of(r.instance))) {
                row.is_announced |= r.is_announced;
                if (row.instance.host.empty()) row.instance.host = r.instance.host;
                if (row.instance.description.empty()) row.instance.description = r.instance.description;
                if (r.radio) link_.drop(*r.radio);
            }
        std::erase_if(
            rows_, [&](const Listed& r) { return control::hears_all_of(spec_of(row.instance), spec_of(r.instance)); });
        const auto joined = link_.add(spec_of(row.instance), row.instance.host);
        if (joined) {
            row.radio = *joined;
            service_.discover(*joined, os::now());
        } else {
            row.problem = joined.error().text();
            row.is_listed = true;
        }
        rows_.push_back(std::move(row));
    }

    void add_cached(const control::CachedRadio& r) {
        const control::RadioInstance instance{r.description, r.name, r.group, r.interface};
        Listed* const known = find(instance);
        if (known == nullptr) return add({instance, false, "", std::nullopt, false});
        if (known->instance.host.empty()) known->instance.host = r.name;
        if (known->instance.description.empty()) known->instance.description = r.description;
    }

    void on_browsed(const control::BrowseResult& result) {
        if (std::exchange(is_browsed_, true)) return;
        limit_.set(never);
        error_ = result.error;
        for (const control::RadioInstance& found : result.instances) {
            if (cache_)
                cache_->learn_radio({found.group, found.interface}, {found.host, found.description, "", true, 0, {}});
            Listed* const known = find(found);
            if (known == nullptr) {
                add({found, true, "", std::nullopt, false});
            } else {
                known->is_announced = true;
                known->instance.description = found.description;
                known->instance.host = found.host;
            }
        }
        link_.pump();
        end_if_over();
    }

    void on_event(const radio::RadioEvent& e) {
        if (e.kind != radio::RadioEventKind::list_done) return;
        for (Listed& r : rows_)
            if (r.radio == e.radio) r.is_listed = true, r.cut_short = e.cut_short;
        end_if_over();
    }

    void end_if_over() {
        if (!is_browsed_ || !std::all_of(rows_.begin(), rows_.end(), [](const Listed& r) { return r.is_listed; }))
            return;
        if (!error_.empty()) complain("radiods that announce themselves were not found: " + error_);
        if (rows_.empty()) {
            complain("no radiod found; name one with -r NAME");
            return loop_.quit(exit_failed);
        }
        leave_out_repeated();
        learn_names();
        json_ ? print_json() : print_table();
        const bool is_whole = std::none_of(rows_.begin(), rows_.end(), [](const Listed& r) { return r.cut_short; });
        if (!is_whole) complain(cut_short_text);
        loop_.quit(is_whole ? exit_ok : exit_failed);
    }

    [[nodiscard]] std::vector<const radio::OnAir*> channels_on(const Listed& r) const {
        return r.radio ? service_.roster().channels(*r.radio) : std::vector<const radio::OnAir*>{};
    }
    [[nodiscard]] std::size_t channels_of(const Listed& r) const { return channels_on(r).size(); }
    // Whether whoever answers there answers here too.
    [[nodiscard]] bool has_all_of(const Listed& here, const Listed& there) const {
        const auto ours = channels_on(here);
        const auto theirs = channels_on(there);
        return std::all_of(theirs.begin(), theirs.end(), [&](const radio::OnAir* c) {
            return std::any_of(ours.begin(), ours.end(), [c](const radio::OnAir* o) { return o->source == c->source; });
        });
    }
    // One radiod may be announced on several interfaces, and answer on one, or as the same sender on each.
    void leave_out_repeated() {
        std::vector<Listed> kept;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            bool is_repeated = false;
            for (std::size_t j = 0; j < rows_.size(); ++j)
                is_repeated |= i != j && rows_[i].instance.group == rows_[j].instance.group &&
                               has_all_of(rows_[j], rows_[i]) && (j < i || !has_all_of(rows_[i], rows_[j]));
            if (!is_repeated || !rows_[i].problem.empty()) kept.push_back(rows_[i]);
        }
        rows_ = std::move(kept);
    }
    // Of who answers: an announcement that outlived its radiod takes no name's place.
    void learn_names() {
        if (!cache_) return;
        for (const Listed& r : rows_)
            if (r.is_announced && channels_of(r) != 0) cache_->learn_name(r.instance.host, r.instance.group);
    }

    void print_table() const {
        std::string out = fmt::format("{:<28} {:<22} {:<10} {:>8} {:<9} {}\n", "name", "group", "interface", "channels",
                                      "found by", "radiod");
        for (const Listed& r : rows_)
            out += fmt::format(
                "{:<28} {:<22} {:<10} {:>8} {:<9} {}\n", printable(r.instance.host.empty() ? "-" : r.instance.host),
                os::endpoint_text(r.instance.group), r.instance.interface.empty() ? "-" : r.instance.interface,
                channels_of(r) == 0 ? "silent" : std::to_string(channels_of(r)) + (r.cut_short ? "+" : ""),
                r.is_announced ? "DNS-SD" : "cache", printable(r.problem.empty() ? r.instance.description : r.problem));
        std::fputs(out.c_str(), stdout);
    }

    void print_json() const {
        Json out = Json::array();
        for (const Listed& r : rows_) {
            Json one = {{"name", r.instance.host},           {"group", os::endpoint_text(r.instance.group)},
                        {"interface", r.instance.interface}, {"description", r.instance.description},
                        {"channels", channels_of(r)},        {"found_by", r.is_announced ? "dns-sd" : "cache"}};
            if (r.cut_short) one["cut_short"] = true;
            if (!r.problem.empty()) one["problem"] = r.problem;
            out.push_back(std::move(one));
        }
        std::printf("%s\n", control::text_of(out).c_str());
    }

    const RadioOptions& options_;
    bool json_;
    control::Loop loop_;
    control::Timer limit_;
    std::unique_ptr<control::StateCache> cache_;
    control::Worker browser_;
    radio::Service service_;
    control::RadioLink link_;
    std::vector<Listed> rows_;
    bool is_browsed_ = false;
    std::string error_;
};

}  // namespace

int list_instances(const RadioOptions& options, bool json) { return Instances(options, json).run(); }

}  // namespace hawser::app
