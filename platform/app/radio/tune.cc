// SPDX-License-Identifier: MIT
// `hawser radio tune`, `set` and `remove`: commands that radiod confirms.
#include <cstdio>
#include <memory>

#include "engine/radio/frequency.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/command_status.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/control/json_text.h"
#include "platform/linux/clock.h"

namespace hawser::app {

namespace {

using Kind = radio::RadioEventKind;

struct TuneRequest {
    RadioOptions radio;
    bool json = false;
    std::uint32_t ssrc = 0;
    std::vector<std::string> assignments;  // field, value, field, value ...
    FieldSettings settings;
};

int finish_tune(const TuneRequest& r, const radio::Command& command, const radio::Status& got) {
    if (r.json)
        print(control::text_of(status_json(got)) + "\n");
    else
        std::printf("%u %s %s Hz, %u Hz\n", got.channel.ssrc, printable(got.channel.preset.view()).c_str(),
                    radio::format_number(got.channel.frequency).c_str(), got.audio_rate());
    const std::string kept = refused(command, got);
    return kept.empty() ? exit_ok : fail("radiod did not take all of it: " + kept);
}

// Sends a command that radiod confirms, once the channel has been seen where it must be there: a command to a number
// that is not would create it. send() answers whether it is on its way; `finish` is called at the event `done`.
template <class Send, class Finish>
int confirm(const TuneRequest& r, RadioSession& s, bool must_exist, Kind done, Send&& send, Finish&& finish) {
    bool is_sent = false;
    const auto begin = [&] {
        is_sent = !must_exist;
        if (must_exist)
            s.service().discover(s.radio(), os::now());
        else
            send();
    };
    return s.run(RadioSession::Ends::by_itself, begin, [&](const radio::RadioEvent& e) {
        if (e.kind == Kind::channel_listed && e.ssrc == r.ssrc && !is_sent) {
            is_sent = send();
        } else if (e.kind == Kind::list_done && !is_sent) {
            s.end(fail_without_channel(s, r.ssrc, e.cut_short));
        } else if (e.kind == done) {
            s.end(finish());
        } else if (e.kind == Kind::expired) {
            s.end(fail(s.full_name() + " did not answer within 5 s"));
        }
    });
}

int tune(const TuneRequest& r, bool must_exist) {
    radio::Command command;
    if (!build_command(r.settings, command)) return exit_usage;
    if (!must_exist) tell_lifetime(command);  // `set` changes what it names
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    RadioSession& s = **session;
    const auto send = [&] {
        if (const auto id = s.service().tune(s.radio(), r.ssrc, command, 0, os::now()); id) return true;
        std::fprintf(stderr, "hawser radio: %u is no channel's number\n", r.ssrc);
        s.end(exit_usage);
        return true;  // not to be tried again
    };
    return confirm(r, s, must_exist, Kind::confirmed, send,
                   [&] { return finish_tune(r, command, s.service().status()); });
}

int remove(const TuneRequest& r) {
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    RadioSession& s = **session;
    const auto send = [&] { return bool(s.service().remove(s.radio(), r.ssrc, os::now())); };
    return confirm(r, s, true, Kind::channel_removed, send, [] { return exit_ok; });
}

int set(TuneRequest& r) {
    if (r.assignments.size() % 2 != 0) {
        std::fprintf(stderr, "hawser radio: '%s' has no value\n", r.assignments.back().c_str());
        return exit_usage;
    }
    for (std::size_t i = 0; i < r.assignments.size(); i += 2)
        r.settings.emplace_back(r.assignments[i], r.assignments[i + 1]);
    return tune(r, true);
}

}  // namespace

void add_tune_subcommands(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<TuneRequest>();
    cli::App* tune_command = subcommands.add("tune", "changes a channel, or creates it, and waits for radiod's answer",
                                             [r] { return tune(*r, false); });
    cli::App* set_command =
        subcommands.add("set", "changes fields of a channel that is there", [r] { return set(*r); });
    cli::App* remove_command = subcommands.add("remove", "ends a channel", [r] { return remove(*r); });
    for (cli::App* sub : {tune_command, set_command, remove_command}) {
        add_radio_options(*sub, r->radio);
        add_json_option(*sub, r->json);
    }
    for (cli::App* sub : {set_command, remove_command})
        sub->add_option("SSRC", r->ssrc, "the channel's number")->required()->check(ssrc_number());
    tune_command->add_option("-s,--ssrc", r->ssrc, "the channel's number")->required()->check(ssrc_number());
    add_channel_settings(*tune_command, r->settings);
    set_command->add_option("FIELD VALUE", r->assignments, "fields and their values, in turn")->required();
}

}  // namespace hawser::app
