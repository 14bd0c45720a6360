// SPDX-License-Identifier: MIT
// `hawser radio watch`: what changes on a radiod, as it changes: channels that appear and go, fields that could be set,
// restarts, numbers that clash, and a radiod that falls silent. Asks with polls of all channels only, so that nothing
// is ever created.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include "engine/radio/automatic.h"
#include "engine/radio/command.h"
#include "engine/radio/frequency.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/app/radio/transition_text.h"
#include "platform/control/json_text.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using radio::RadioField;
using radio::Status;
using Kind = radio::RadioEventKind;
using Json = nlohmann::ordered_json;

constexpr std::size_t channels_max = radio::Roster::channels_max;

struct WatchRequest {
    RadioOptions radio;
    std::vector<std::uint32_t> ssrcs;  // empty: all
    std::vector<std::string> fields;   // beside those that could be set
    double interval_s = 2;             // between polls
    bool json = false;
};

class Watcher {
public:
    Watcher(const WatchRequest& request, std::vector<RadioField> also, RadioSession& session)
        : request_(request), also_(std::move(also)), session_(session) {}

    // Of every status that was heard.
    void on_status(const Endpoint& from, const Status& now) {
        if (!is_wanted(now.channel.ssrc)) return;
        const std::string source = os::endpoint_text(from);
        const auto key = std::pair(now.channel.ssrc, source);
        auto found = known_.find(key);
        if (found == known_.end()) {
            if (known_.size() == channels_max) return;
            // A radiod that was restarted has another port; its channel is the same.
            found = std::find_if(known_.begin(), known_.end(), [&](const auto& k) {
                return k.first.first == key.first && k.second.heard < poll_began_ &&
                       now.frontend.input_samples < k.second.status.frontend.input_samples;
            });
            if (found == known_.end()) {
                appeared(now, source);
            } else {
                auto moved = known_.extract(found);
                moved.key() = key;
                const auto at = known_.insert(std::move(moved)).position;
                compare(at->second.status, now, source);
            }
        } else {
            compare(found->second.status, now, source);
        }
        Known& k = known_[key];
        k.status = now;
        k.status.drop_views();
        k.heard = os::now();
    }

    void on_event(const radio::RadioEvent& e) {
        switch (e.kind) {
            case Kind::radiod_restarted:
                tell("restarted", 0, "radiod has restarted, now at " + os::endpoint_text(e.source),
                     {{"from", os::endpoint_text(e.source)}});
                break;
            case Kind::number_clash:
                if (is_wanted(e.ssrc))
                    tell("clash", e.ssrc, "two radiods use this number, one of them at " + os::endpoint_text(e.source),
                         {{"from", os::endpoint_text(e.source)}});
                break;
            case Kind::list_done: on_list(e.cut_short); break;
            default: break;
        }
    }

    void begin() {
        is_polling_ = false;
        poll();
    }
    void poll() {
        if (std::exchange(is_polling_, true)) return;
        poll_began_ = os::now();
        session_.service().discover(session_.radio(), poll_began_);
        session_.link().pump();
    }

private:
    struct Known {
        Status status;
        Instant heard;
    };

    [[nodiscard]] bool is_wanted(std::uint32_t ssrc) const {
        return request_.ssrcs.empty() ||
               std::find(request_.ssrcs.begin(), request_.ssrcs.end(), ssrc) != request_.ssrcs.end();
    }

    void appeared(const Status& s, const std::string& source) {
        Json fields;
        fields["from"] = source;
        fields["channel"] = status_json(s);
        tell("appeared", s.channel.ssrc,
             fmt::format("appeared: {} {} Hz, {} Hz {}, to {}", s.channel.preset.view(),
                         radio::format_number(s.channel.frequency), s.output.samprate,
                         radio::name_of(radio::encoding_names, static_cast<std::uint64_t>(s.output.encoding)),
                         s.has(RadioField::output_data_dest_socket) ? os::endpoint_text(s.output.dest) : "nowhere"),
             fields);
    }

    // What moves by itself is no change, unless it was asked for.
    [[nodiscard]] bool is_told(RadioField f, const Status& s) const {
        if (std::find(also_.begin(), also_.end(), f) != also_.end()) return true;
        if (f == RadioField::command_tag || radio::moves_by_itself(f, s)) return false;
        return wire::row_of(f).settable || f == RadioField::description;
    }

    void compare(const Status& before, const Status& now, const std::string& source) {
        for (const auto& row : wire::radio_fields) {
            if (row.type == wire::RadioType::none || !is_told(row.field, now)) continue;
            const std::string was = radio::format_value(row.field, radio::value_of(before, row.field));
            const std::string is = radio::format_value(row.field, radio::value_of(now, row.field));
            const bool was_there = before.has(row.field);
            const bool is_there = now.has(row.field);
            if (was_there == is_there && (!is_there || was == is)) continue;
            const std::string from = was_there ? was : "-";
            const std::string to = is_there ? is : "-";
            Json fields = {{"from", source}, {"field", row.path}, {"before", nullptr}, {"now", nullptr}};
            if (was_there) fields["before"] = was;
            if (is_there) fields["now"] = is;
            tell("changed", now.channel.ssrc, fmt::format("{} {} -> {} {}", row.path, from, to, row.unit), fields);
        }
    }

    // A whole list, asked for twice: what did not answer has gone. Who is not on one that was cut short may be there.
    void on_list(bool cut_short) {
        is_polling_ = false;
        if (cut_short != is_cut_short_)
            tell(cut_short ? "cut_short" : "whole", 0, cut_short ? cut_short_text : "the list is whole again", {});
        is_cut_short_ = cut_short;
        if (cut_short) return;
        const bool has_answered =
            std::any_of(known_.begin(), known_.end(), [this](const auto& k) { return k.second.heard >= poll_began_; });
        const bool anybody = has_answered || !session_.service().roster().channels(session_.radio()).empty();
        if (anybody != is_answering_) {
            if (anybody)
                tell("answering", 0, "radiod answers", {});
            else
                tell("silent", 0, "no channel answers", {});
        }
        is_answering_ = anybody;
        for (auto at = known_.begin(); at != known_.end();) {
            if (at->second.heard >= poll_began_) {
                ++at;
                continue;
            }
            tell("lost", at->first.first, "lost", {{"from", at->first.second}});
            at = known_.erase(at);
        }
    }

    void tell(const char* event, std::uint32_t ssrc, const std::string& text, const Json& fields) {
        if (request_.json) {
            Json line = {{"time", utc_text()}, {"event", event}, {"radio", session_.name()}};
            if (ssrc != 0) line["ssrc"] = ssrc;
            for (const auto& [key, value] : fields.items()) line[key] = value;
            std::printf("%s\n", control::text_of(line).c_str());
        } else {
            const std::string who = ssrc != 0 ? std::to_string(ssrc) + " " : session_.name() + ": ";
            std::printf("%s %s\n", utc_text().c_str(), printable(who + text).c_str());
        }
        if (!flush_output()) session_.end(exit_failed);
    }

    const WatchRequest& request_;
    std::vector<RadioField> also_;
    RadioSession& session_;
    std::map<std::pair<std::uint32_t, std::string>, Known> known_;
    Instant poll_began_;
    bool is_polling_ = false;
    bool is_cut_short_ = false;  // told
    bool is_answering_ = true;   // so that silence is told, and an answer only after it
};

int run_watch(const WatchRequest& request) {
    std::vector<RadioField> also;
    for (const std::string& name : request.fields) {
        const auto field = wire::find_radio_field(name);
        if (!field) {
            std::fprintf(stderr, "hawser radio: there is no field '%s'\n", name.c_str());
            return exit_usage;
        }
        also.push_back(*field);
    }
    const auto session = RadioSession::open(request.radio);
    if (!session) return session.error();
    Watcher watcher(request, std::move(also), **session);
    RadioSession& s = **session;
    s.link().on_status(
        [&watcher](radio::RadioId, const Endpoint& from, const Status& status) { watcher.on_status(from, status); });
    s.loop().every(Duration{std::llround(request.interval_s * 1e9)}, [&watcher] { watcher.poll(); });
    return s.run(
        RadioSession::Ends::when_told, [&watcher] { watcher.begin(); },
        [&watcher](const radio::RadioEvent& e) { watcher.on_event(e); });
}

}  // namespace

void add_watch_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<WatchRequest>();
    cli::App* watch = subcommands.add("watch", "tells what changes on the radiod, as it changes; creates nothing",
                                      [r] { return run_watch(*r); });
    add_radio_options(*watch, r->radio);
    add_json_option(*watch, r->json);
    watch->add_option("SSRC", r->ssrcs, "these channels alone")->check(ssrc_number());
    watch->add_option("--field", r->fields, "a field to follow beside those that can be set; may be repeated")
        ->type_name("PATH");
    watch->add_option("--interval", r->interval_s, "seconds between polls (default 2)")->check(cli::Range(0.2, 3600.0));
}

}  // namespace hawser::app
