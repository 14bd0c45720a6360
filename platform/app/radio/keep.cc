// SPDX-License-Identifier: MIT
#include "platform/app/radio/keep.h"

#include <csignal>
#include <cstdio>
#include <utility>

#include "platform/app/plain_text.h"
#include "platform/app/radio/keep_file.h"
#include "platform/app/radio/subcommands.h"
#include "platform/app/radio/transition_text.h"
#include "platform/app/random.h"
#include "platform/control/json_text.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

KeptChannels::KeptChannels(control::Loop& loop, const KeepRequest& request, Teller teller,
                           control::Keeper::Notice notice)
    : request_(request),
      cache_(open_cache(loop, request.radio.cache, notice)),
      keeper_(loop, {request.radio.ttl, request.removes, cache_.get(), random_value<std::uint64_t>()}, notice) {
    keeper_.listeners().add(this, std::move(teller));
}

Result<control::DesiredState, std::string> KeptChannels::read() const {
    auto wanted = read_keep_file(request_.file, request_.radio.name);
    if (!wanted) return wanted;
    for (control::WantedRadio& r : wanted->radios) {
        if (!request_.radio.interface.empty() && r.address.interface.empty())
            r.address.interface = request_.radio.interface;
        if (!request_.radio.source.empty() && !r.source) r.source = os::parse_address(request_.radio.source);
    }
    return wanted;
}

Result<Unit, std::string> KeptChannels::load() {
    const auto wanted = read();
    if (!wanted) return Failure{wanted.error()};
    apply(*wanted);
    return Unit{};
}

void KeptChannels::apply(const control::DesiredState& wanted) {
    if (is_stopping_) return;
    wanted_ = wanted;
    keeper_.apply(wanted_);
}

void KeptChannels::stop(std::function<void()> done) {
    is_stopping_ = true;
    wanted_ = {};
    keeper_.stop(std::move(done));
}

nlohmann::ordered_json KeptChannels::figures() const {
    const auto count = keeper_.count();
    const auto& f = keeper_.service().tuner().figures();
    return {{"wanted", count.wanted},
            {"active", count.active},
            {"commands", f.submitted},
            {"confirmed", f.confirmed},
            {"expired", f.expired},
            {"packets", f.packets},
            {"timer_wakes", keeper_.link().figures().wakes},
            {"send_failures", keeper_.link().figures().send_failures}};
}

namespace {

int run_keep(const KeepRequest& request) {
    if (!request.radio.name.empty() && !is_radio_name(request.radio.name)) return exit_usage;
    control::Loop loop;
    const auto complain = [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); };
    KeptChannels kept(
        loop, request,
        [&request](const control::Transition& t) {
            const std::string line =
                request.json ? control::text_of(transition_json(t)) : utc_text() + " " + describe(t).text;
            std::printf("%s\n", line.c_str());
            std::fflush(stdout);
        },
        complain);
    bool is_stopping = false;
    // Before the worker's threads, which begin with the first name.
    loop.on_signals({SIGINT, SIGTERM, SIGHUP}, [&](int signal) {
        if (signal == SIGHUP) {
            if (is_stopping) return;  // nothing is wanted any more
            if (const auto loaded = kept.load(); !loaded)
                complain("reload refused, the channels stay as they are: " + loaded.error());
        } else if (std::exchange(is_stopping, true)) {
            loop.quit(exit_failed);
        } else {
            kept.stop([&loop] { loop.quit(exit_ok); });
        }
    });
    if (const auto loaded = kept.load(); !loaded) {
        complain(loaded.error());
        return exit_failed;
    }
    return loop.run();
}

}  // namespace

void add_radio_channels(cli::App& app, KeepRequest& request) {
    const std::string group = "Radio";
    app.add_option("--radio-channels", request.file,
                   "keeps the ka9q-radio channels of this file on the air, as hawser radio keep; read again on SIGHUP")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--radio", request.radio.name, "the radiod, where the file names none")
        ->envname("RADIO")
        ->type_name("NAME")
        ->group(group);
    app.add_option("--radio-cache", request.radio.cache, "what was learned of radiods is kept there, or `none`")
        ->type_name("PATH")
        ->group(group);
    app.add_option("--radio-ttl", request.radio.ttl, "of commands: 0 stays on this host (default 1)")
        ->check(cli::Range(0, 255))
        ->group(group);
    app.add_flag("--radio-remove", request.removes,
                 "end the channels at the end, and those that a reload no longer has")
        ->group(group);
}

void add_keep_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<KeepRequest>();
    cli::App* keep = subcommands.add(
        "keep", "keeps the channels of a file on the air: makes, verifies and makes them anew, and tells each change",
        [r] { return run_keep(*r); });
    add_radio_options(*keep, r->radio)->required(false);
    add_json_option(*keep, r->json);
    keep->add_option("FILE", r->file, "TOML: [[radio]] and [[channel]]; read again on SIGHUP")->required();
    keep->add_flag("--remove", r->removes, "end the channels at the end, and those that a reload no longer has");
}

}  // namespace hawser::app
