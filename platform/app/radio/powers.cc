// SPDX-License-Identifier: MIT
// `hawser radio powers`: the spectrum around a frequency as lines of CSV, as ka9q-radio's `powers` and rtl_power write
// it: time, first and last bin's frequency, bin width, count of bins, and each bin in dB from the lowest frequency up.
// The channel is told anew each time, which keeps it alive and makes it again after a restart, however long a radiod is
// away that was to be asked without end, or had answered. It ends by its lifetime.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <utility>

#include "engine/radio/frequency.h"
#include "engine/radio/spectrum.h"
#include "platform/app/radio/command_status.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/control/json_text.h"
#include "platform/linux/clock.h"

namespace hawser::app {

namespace {

using Kind = radio::RadioEventKind;

struct PowersRequest {
    RadioOptions radio;
    bool json = false;
    std::string frequency;
    std::string width = "1000";
    std::uint32_t bins = 64;
    std::uint32_t average = 1;
    std::optional<double> crossover;
    std::string window;
    std::optional<double> shape;
    std::optional<double> overlap;
    int leap_seconds = radio::leap_seconds_default;
    bool bytes = false;
    std::uint32_t ssrc = 0;
    std::uint64_t count = 0;
    double interval_s = 5;
};

// As long as a slow interval takes twice, and never so short that a late poll finds the channel gone.
std::uint32_t lifetime_blocks(double interval_s) {
    return std::max(500u, static_cast<std::uint32_t>(interval_s * 100));
}

std::string time_text(std::int64_t ns) {
    const auto seconds = static_cast<time_t>(ns / 1'000'000'000);
    tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                       utc.tm_hour, utc.tm_min, utc.tm_sec, ns / 1'000'000 % 1000);
}

std::string line_of(const PowersRequest& r, const radio::Status& status, const radio::Spectrum& spectrum) {
    if (r.json) {
        nlohmann::ordered_json out{{"time", time_text(spectrum.unix_ns)},
                                   {"ssrc", status.channel.ssrc},
                                   {"start", spectrum.first_hz},
                                   {"stop", spectrum.last_hz()},
                                   {"width", spectrum.bin_hz},
                                   {"db", nlohmann::ordered_json::array()}};
        for (const double db : spectrum.db) out["db"].push_back(std::round(db * 100) / 100);
        return control::text_of(out) + "\n";
    }
    std::string line =
        fmt::format("{}, {:.0f}, {:.0f}, {}, {}", time_text(spectrum.unix_ns), spectrum.first_hz, spectrum.last_hz(),
                    radio::format_number(status.spectrum.resolution_bw), spectrum.db.size());
    for (const double db : spectrum.db) line += fmt::format(", {:.2f}", db);
    return line + "\n";
}

class PowersRun {
public:
    PowersRun(const PowersRequest& request, RadioSession& session, std::uint32_t ssrc, const radio::Command& command)
        : r_(request), s_(session), ssrc_(ssrc), command_(command) {}

    int run() {
        s_.loop().every(Duration{std::llround(r_.interval_s * 1e9)}, [this] {
            ask();
            s_.link().pump();
        });
        const auto ends = r_.count == 0 ? RadioSession::Ends::when_told : RadioSession::Ends::by_itself;
        const auto begin = [this] {
            is_asked_ = false;
            ask();
        };
        return s_.run(ends, begin, [this](const radio::RadioEvent& e) {
            if (e.kind == Kind::confirmed && e.ssrc == ssrc_) on_reply(s_.service().status());
            if (e.kind == Kind::expired && e.ssrc == ssrc_) give_up(s_.full_name() + " did not answer within 5 s");
        });
    }

private:
    void ask() {
        if (is_asked_) return;
        is_asked_ = true;
        empty_replies_ = 0;
        send();
    }
    void send() {
        if (!s_.service().tune(s_.radio(), ssrc_, command_, 0, os::now()))
            s_.end(fail(std::to_string(ssrc_) + " is no channel's number"));
    }
    void on_reply(const radio::Status& status) {
        if (!radio::is_spectrum(status.channel.demod_type))
            return s_.end(fail(std::to_string(ssrc_) + " did not become a spectrum channel"));
        const auto spectrum = radio::spectrum_of(status, r_.leap_seconds);
        if (!spectrum) {
            // The reply to the command that makes the channel has none, nor those of the first blocks.
            if (++empty_replies_ > empty_replies_max) return give_up("radiod sends no bins");
            return send();
        }
        is_asked_ = false;
        if (std::exchange(has_given_up_, false)) fail(s_.name() + " answers again");
        print(line_of(r_, status, *spectrum));
        if (!flush_output()) return s_.end(exit_failed);
        if (++printed_ == r_.count) s_.end(exit_ok);
    }
    // This time. A radiod that starts anew is away for longer than a command is tried.
    void give_up(const std::string& why) {
        if (r_.count != 0 && printed_ == 0) return s_.end(fail(why));
        is_asked_ = false;
        if (!std::exchange(has_given_up_, true)) fail(why + "; it is asked again");
    }

    static constexpr int empty_replies_max = 50;  // two seconds of blocks; untuned
    const PowersRequest& r_;
    RadioSession& s_;
    std::uint32_t ssrc_;
    const radio::Command& command_;
    bool is_asked_ = false;
    bool has_given_up_ = false;
    int empty_replies_ = 0;
    std::uint64_t printed_ = 0;
};

int powers(PowersRequest& r) {
    if (r.bins % 2 != 0) {
        // radiod and its readers split an odd count at different places.
        fail("the count of bins is to be even");
        return exit_usage;
    }
    FieldSettings settings{{"channel.demod_type", r.bytes ? "4" : "3"},
                           {"channel.frequency", r.frequency},
                           {"spectrum.bin_count", std::to_string(r.bins)},
                           {"spectrum.resolution_bw", r.width},
                           {"spectrum.avg", std::to_string(r.average)},
                           {"channel.lifetime", std::to_string(lifetime_blocks(r.interval_s))}};
    if (r.crossover) settings.emplace_back("spectrum.crossover", radio::format_number(*r.crossover));
    if (!r.window.empty()) settings.emplace_back("spectrum.window_type", r.window);
    if (r.shape) settings.emplace_back("spectrum.shape", radio::format_number(*r.shape));
    if (r.overlap) settings.emplace_back("spectrum.overlap", radio::format_number(*r.overlap));
    if (r.overlap && *r.overlap >= 1) {
        fail("--overlap: all of an FFT cannot be the one's before");
        return exit_usage;
    }
    radio::Command command;
    if (!build_command(settings, command)) return exit_usage;
    std::uint32_t ssrc = r.ssrc;
    if (ssrc == 0) {
        // Another number for each shape of the spectrum, so that two users do not retune each other's.
        std::string shape = fmt::format("{} {} {} {} {}", r.bytes ? "bytes" : "powers", r.width, r.average,
                                        r.crossover ? radio::format_number(*r.crossover) : "default", r.window);
        if (r.shape) shape += " shape " + radio::format_number(*r.shape);
        if (r.overlap) shape += " overlap " + radio::format_number(*r.overlap);
        radio::SsrcInputs inputs;
        inputs.frequency_hz = radio::parse_frequency(r.frequency).value_or(0);
        inputs.preset = shape;
        inputs.samprate = r.bins;
        ssrc = number_for(inputs, r.radio.name);
    }
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    return PowersRun(r, **session, ssrc, command).run();
}

}  // namespace

void add_powers_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<PowersRequest>();
    cli::App* sub = subcommands.add("powers", "the spectrum around a frequency as CSV", [r] { return powers(*r); });
    add_radio_options(*sub, r->radio);
    add_json_option(*sub, r->json);
    sub->add_option("-f,--frequency", r->frequency, "the middle")->required()->type_name("HZ");
    sub->add_option("-w,--bin-width", r->width, "width of a bin (default 1000)")->type_name("HZ");
    sub->add_option("-b,--bins", r->bins, "how many, an even count (default 64)")->check(cli::Range(2u, 16'000u));
    sub->add_option("-a,--average", r->average, "FFTs to average (default 1)")->check(cli::Range(1u, 1'000'000u));
    sub->add_option("-C,--crossover", r->crossover, "bins wider than this are of the front end's samples (radiod: 200)")
        ->type_name("HZ");
    sub->add_option("--window", r->window, "kaiser (default), rectangular, hann ...")->type_name("NAME");
    sub->add_option("--shape", r->shape, "of a Kaiser window its beta (radiod: 7), of a Gaussian its sigma")
        ->check(cli::Range(0.0, 1000.0));
    sub->add_option("--overlap", r->overlap, "share of an FFT's samples that are the one's before, 0 to below 1")
        ->check(cli::Range(0.0, 1.0));
    sub->add_flag("--bytes", r->bytes, "the other kind of spectrum: one byte a bin, smaller packets");
    sub->add_option("-s,--ssrc", r->ssrc, "the channel's number (default: from what it is)")->check(ssrc_number());
    sub->add_option("-c,--count", r->count, "end after so many lines")->type_name("N");
    sub->add_option("-i,--interval", r->interval_s, "seconds between two (default 5)")->check(cli::Range(0.02, 3600.0));
    add_leap_seconds_option(*sub, r->leap_seconds);
    sub->footer("Columns: time, first bin's frequency, last bin's, bin width, count of bins, dB of each.");
}

}  // namespace hawser::app
