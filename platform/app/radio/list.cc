// SPDX-License-Identifier: MIT
// `hawser radio list` and `query`: a poll of all channels, which alone creates none.
#include <cmath>
#include <cstdio>
#include <memory>

#include "platform/app/plain_text.h"
#include "platform/app/radio/instances.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/control/json_text.h"
#include "platform/linux/clock.h"

namespace hawser::app {

namespace {

using Kind = radio::RadioEventKind;

struct ListRequest {
    RadioOptions radio;
    bool json = false;
    bool watch = false;
    double interval_s = 1;
    std::uint32_t ssrc = 0;
    std::string field;
};

int show_list(const ListRequest& r, RadioSession& s, bool cut_short) {
    const auto channels = s.service().roster().channels(s.radio());
    if (channels.empty()) return fail("no channel of " + s.full_name() + " answered");
    print(r.json ? control::text_of(channels_json(channels)) + "\n" : channel_table(channels));
    if (!cut_short) return exit_ok;
    if (r.json) print(control::text_of(nlohmann::ordered_json{{"cut_short", true}}) + "\n");
    return fail(cut_short_text);
}

int show_channel(const ListRequest& r, RadioSession& s, bool cut_short) {
    const radio::OnAir* channel = s.service().roster().find(s.radio(), r.ssrc);
    if (channel == nullptr) return fail_without_channel(s, r.ssrc, cut_short);
    if (!r.field.empty()) {
        const auto field = wire::find_radio_field(r.field);
        const auto value = radio::value_of(channel->status, *field);
        if (!channel->status.has(*field)) return fail("the channel does not tell " + r.field);
        print(printable(radio::format_value(*field, value)) + "\n");
    } else {
        print(r.json ? control::text_of(status_json(channel->status)) + "\n" : status_text(channel->status));
    }
    return exit_ok;
}

int poll(const ListRequest& r, int (*show)(const ListRequest&, RadioSession&, bool cut_short)) {
    if (!r.field.empty() && !wire::find_radio_field(r.field)) {
        std::fprintf(stderr, "hawser radio: there is no field '%s'\n", r.field.c_str());
        return exit_usage;
    }
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    RadioSession& s = **session;
    const auto ask = [&s] { s.service().discover(s.radio(), os::now()); };
    if (r.watch)
        s.loop().every(Duration{std::llround(r.interval_s * 1e9)}, [&] {
            ask();
            s.link().pump();
        });
    const auto ends = r.watch ? RadioSession::Ends::when_told : RadioSession::Ends::by_itself;
    return s.run(ends, ask, [&](const radio::RadioEvent& e) {
        // One channel's answer is all that is asked for; its absence shows when all have answered.
        const bool is_it = e.kind == Kind::channel_listed && e.ssrc == r.ssrc && !r.watch;
        if (!is_it && e.kind != Kind::list_done) return;
        const int code = show(r, s, e.cut_short);
        if (!flush_output()) return s.end(exit_failed);
        if (!r.watch) s.end(code);
    });
}

cli::Option* add_options(cli::App& app, ListRequest& r) {
    cli::Option* radio = add_radio_options(app, r.radio);
    add_json_option(app, r.json);
    app.add_flag("--watch", r.watch, "again and again");
    app.add_option("--interval", r.interval_s, "seconds between (default 1)")->check(cli::Range(0.2, 3600.0));
    return radio;
}

}  // namespace

void add_list_subcommands(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<ListRequest>();
    cli::App* list =
        subcommands.add("list", "all channels of the radiod; without one, the radiods that can be found", [r] {
            if (!r->radio.name.empty()) return poll(*r, show_list);
            if (!r->watch) return list_instances(r->radio, r->json);
            fail("--watch is of one radiod's channels: name it with -r");
            return exit_usage;
        });
    add_options(*list, *r)->required(false);
    cli::App* query = subcommands.add("query", "one channel, whole or one field; creates none",
                                      [r] { return poll(*r, show_channel); });
    add_options(*query, *r);
    query->add_option("SSRC", r->ssrc, "the channel's number")->required()->check(ssrc_number());
    query->add_option("--field", r->field, "that field's value alone")->type_name("PATH");
}

}  // namespace hawser::app
