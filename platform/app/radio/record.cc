// SPDX-License-Identifier: MIT
// `hawser radio record`: channels into files, or one of them to standard output. With the habits of pcmrecord where it
// has some: its names of files, its periods, a new recording where the kind of samples changes.
#include <memory>
#include <optional>
#include <utility>

#include "platform/app/radio/command_status.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/record_run.h"

namespace hawser::app {

namespace {

// 10 s: what keeps a channel of ours alive between two checks, and ends it soon after us.
constexpr std::uint32_t own_lifetime_blocks = 500;

int record(RecordRequest& r) {
    const auto usage = [](const std::string& text) {
        fail(text);
        return exit_usage;
    };
    if (r.name == "-") r.to_stdout = true;
    if (r.to_stdout && (!r.cut.empty() || r.ssrcs.size() > 1))
        return usage("standard output takes one channel, and is not cut into files");
    if (!r.command.empty() && (r.to_stdout || !r.cut.empty() || r.subfolders || !r.name.empty()))
        return usage("a command gets one stream: no standard output, no --cut, no names of files");
    if ((r.to_stdout || !r.command.empty()) && (r.file_seconds_min > 0 || r.prefix_source))
        return usage("--mintime and --prefix-source are of files");
    if (r.align && r.cut.empty()) return usage("--align needs the periods of --cut");
    std::optional<radio::ChannelSpec> own;
    if (!r.settings.empty()) {
        if (!r.ssrcs.empty()) return usage("channels that are there are recorded as they are: see `hawser radio set`");
        radio::Command command;
        if (!build_command(r.settings, command)) return exit_usage;
        std::string at_fault;
        own = spec_of(command, at_fault);
        if (!own) return usage(at_fault + " cannot be kept; set it with `hawser radio set`");
        if (own->frequency <= 0) return usage("a channel to be made needs its frequency");
        if (!own->lifetime) own->lifetime = own_lifetime_blocks;
        if (const char* why = lifetime_complaint(*own->lifetime)) return usage(std::string("lifetime: ") + why);
        if (r.own_ssrc == 0) r.own_ssrc = number_for(*own, r.radio.name);
    }
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    return run_record(r, **session, own);
}

cli::Validator period() {
    return cli::Validator(
        [](std::string& text) {
            return period_of(text) ? std::string() : "'" + text + "' is no period (ft4, ft8, wspr, or 0.1 to 86400)";
        },
        "SECONDS");
}

}  // namespace

void add_record_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<RecordRequest>();
    cli::App* sub =
        subcommands.add("record", "channels into files, or one to standard output", [r] { return record(*r); });
    add_radio_options(*sub, r->radio);
    add_json_option(*sub, r->json);
    sub->add_option("SSRC", r->ssrcs, "channels that are there; none: all, and those that appear meanwhile")
        ->check(ssrc_number());
    const std::string files = "Files";
    sub->add_option("--max-channels", r->channels_max, "of those that nobody named, so many at most (default 2000)")
        ->check(cli::Range(std::size_t{1}, channels_max_default))
        ->type_name("N");
    sub->add_option("-d,--directory", r->folder, "folder of the files (default: this one)")
        ->type_name("FOLDER")
        ->group(files);
    sub->add_option("--name", r->name,
                    "pattern of the names, without the ending: strftime's, {ssrc} {frequency} {khz} {preset} {radio} "
                    "{source}; - is standard output")
        ->type_name("PATTERN")
        ->group(files);
    sub->add_flag("--prefix-source", r->prefix_source, "names begin with the sender's address")->group(files);
    sub->add_flag("--subdirs", r->subfolders, "folders SSRC/YEAR/MONTH/DAY beneath it")->group(files);
    sub->add_flag("--stdout,--catmode", r->to_stdout, "one channel to standard output")->group(files);
    sub->add_option(
           "--exec", r->command,
           "a shell command for each channel, which gets what a file would on its standard input; $s is the "
           "SSRC, $h $k $m the frequency in Hz, kHz, MHz, $r the rate, $c the channels, $f the encoding, $d the "
           "front end, $$ a dollar sign; one that takes nothing for 5 s is ended, and killed 1 s later if need be; one "
           "that is slow misses some")
        ->type_name("COMMAND")
        ->group(files);
    sub->add_option("--format", r->format, "wav, raw (samples alone), opus (packets as they come, in Ogg) or auto")
        ->check(cli::IsMember({"wav", "raw", "opus", "auto"}))
        ->type_name("NAME")
        ->group(files);
    const std::string time = "Time";
    sub->add_option("-x,--seconds,--max_length", r->seconds, "end after so much of each channel")
        ->check(cli::Range(0.02, 1e9))
        ->group(time);
    sub->add_option("--mintime", r->file_seconds_min, "keep no file that is shorter")
        ->check(cli::Range(0.0, 1e9))
        ->type_name("SECONDS")
        ->group(time);
    sub->add_option("--timeout", r->idle_seconds_max,
                    "end a channel's file after so long without samples; the next samples begin another")
        ->check(cli::Range(0.1, 1e9))
        ->type_name("SECONDS")
        ->group(time);
    sub->add_option("--cut,--lengthlimit", r->cut,
                    "a file for each period of UTC: ft4 (7.5 s), ft8 (15 s), wspr (120 s), or seconds")
        ->check(period())
        ->group(time);
    for (const auto& [flags, name] : {std::pair("-4,--ft4", "ft4"), {"-8,--ft8", "ft8"}, {"-w,--wspr", "wspr"}})
        sub->add_flag_function(
               flags, [r, name = std::string(name)](std::int64_t) { r->cut = name; }, "--cut " + std::string(name))
            ->group(time);
    sub->add_flag("--align", r->align, "begin with a whole period, not with one that silence fills up to now")
        ->group(time);
    sub->add_flag("--no-fill", r->no_fill, "put no silence where samples are missing")->group(time);
    add_leap_seconds_option(*sub, r->leap_seconds);
    add_channel_settings(*sub, r->settings);
    sub->add_option("-s,--ssrc", r->own_ssrc, "of the channel that is made (default: from what it is)")
        ->check(ssrc_number());
    sub->footer(
        "With -f, -m and the like a channel is made for this, kept while it is recorded, and ends 10 s later.\n"
        "Files have hidden names until they are whole. What is missing is silence in them, after a restart too.");
}

}  // namespace hawser::app
