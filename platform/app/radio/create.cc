// SPDX-License-Identifier: MIT
// `hawser radio create`: a channel that is not there yet, under a number of its own or the one that ka9q-python would
// give it. What is there already is never changed: a number in use is told, or the next one taken.
#include <cstdio>
#include <memory>

#include "engine/radio/frequency.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/command_status.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/control/json_text.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using Kind = radio::RadioEventKind;

struct CreateRequest {
    RadioOptions radio;
    bool json = false;
    bool is_new = false;
    std::uint32_t ssrc = 0;  // 0: by what it is
    FieldSettings settings;
};

class CreateRun {
public:
    CreateRun(const CreateRequest& request, RadioSession& session, const radio::Command& command,
              const radio::Command& lifetime, const radio::ChannelSpec& spec)
        : r_(request), s_(session), command_(command), lifetime_(lifetime), spec_(spec) {}

    int run() {
        const auto begin = [this] {
            ssrc_ = 0;
            s_.service().discover(s_.radio(), os::now());
        };
        return s_.run(RadioSession::Ends::by_itself, begin, [this](const radio::RadioEvent& e) { on_event(e); });
    }

private:
    void on_event(const radio::RadioEvent& e) {
        if (e.kind == Kind::list_done && e.cut_short) {
            // A number that looks free may be somebody's.
            s_.end(fail(cut_short_text));
        } else if (e.kind == Kind::list_done && ssrc_ == 0) {
            choose();
        } else if (e.kind == Kind::confirmed) {
            s_.end(finish(s_.service().status()));
        } else if (e.kind == Kind::expired) {
            s_.end(fail(s_.full_name() + " did not answer within 5 s"));
        }
    }

    // Who answered the polls is known now. A radiod without channels answers none: that is no failure yet.
    void choose() {
        const auto& roster = s_.service().roster();
        ssrc_ = r_.ssrc != 0 ? r_.ssrc : number_for(spec_, r_.radio.name);
        if (ssrc_ == 0) ++ssrc_;
        for (const radio::OnAir* there = roster.find(s_.radio(), ssrc_); there != nullptr;
             there = roster.find(s_.radio(), ++ssrc_)) {
            if (r_.ssrc != 0)
                return s_.end(fail(std::to_string(ssrc_) +
                                   " is there already: " + std::string(there->status.channel.preset.view()) + ", " +
                                   radio::format_number(there->status.channel.frequency) + " Hz"));
            const bool is_equal = !radio::first_difference(spec_, there->status);
            if (is_equal && !r_.is_new) {
                is_reused_ = true;
                break;
            }
        }
        // What is there already is as wanted but for its lifetime, which begins anew.
        if (s_.service().tune(s_.radio(), ssrc_, is_reused_ ? lifetime_ : command_, 0, os::now())) return;
        s_.end(fail(std::to_string(ssrc_) + " is no channel's number"));
    }

    int finish(const radio::Status& got) {
        if (r_.json) {
            auto out = status_json(got);
            out["reused"] = is_reused_;
            print(control::text_of(out) + "\n");
        } else {
            std::printf(
                "%u %s %s Hz, %u Hz, %s to %s%s\n", got.channel.ssrc, printable(got.channel.preset.view()).c_str(),
                radio::format_number(got.channel.frequency).c_str(), got.audio_rate(),
                std::string(radio::name_of(radio::encoding_names, static_cast<std::uint64_t>(got.output.encoding)))
                    .c_str(),
                os::endpoint_text(got.output.dest).c_str(), is_reused_ ? ", was there" : "");
        }
        const std::string kept = refused(command_, got);
        return kept.empty() ? exit_ok : fail("radiod did not take all of it: " + kept);
    }

    const CreateRequest& r_;
    RadioSession& s_;
    const radio::Command& command_;
    const radio::Command& lifetime_;  // alone
    const radio::ChannelSpec& spec_;
    std::uint32_t ssrc_ = 0;
    bool is_reused_ = false;
};

int create(const CreateRequest& r) {
    radio::Command command;
    if (!build_command(r.settings, command)) return exit_usage;
    tell_lifetime(command);
    // Fields that no specification has are set, and not compared with what is there.
    FieldSettings known;
    radio::ChannelSpec spec;
    for (const auto& setting : r.settings) {
        known.push_back(setting);
        radio::Command part;
        std::string at_fault;
        const auto wanted = build_command(known, part) ? spec_of(part, at_fault) : std::nullopt;
        if (wanted)
            spec = *wanted;
        else
            known.pop_back();
    }
    if (!(spec.frequency > 0)) {
        fail("a new channel needs its frequency");
        return exit_usage;
    }
    radio::Command lifetime;
    static_cast<void>(lifetime.put(radio::RadioField::lifetime, std::uint64_t{spec.lifetime.value_or(0)}));
    spec.lifetime.reset();
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    return CreateRun(r, **session, command, lifetime, spec).run();
}

}  // namespace

void add_create_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<CreateRequest>();
    cli::App* sub = subcommands.add("create", "a channel that is not there yet, and prints what was made",
                                    [r] { return create(*r); });
    add_radio_options(*sub, r->radio);
    add_json_option(*sub, r->json);
    sub->add_option("-s,--ssrc", r->ssrc,
                    "its number; must be free (default: from what the channel is, as ka9q-python does; the next free "
                    "one where that is another channel's)")
        ->check(ssrc_number());
    sub->add_flag("--new", r->is_new, "another one, although the same channel is there");
    add_channel_settings(*sub, r->settings);
}

}  // namespace hawser::app
