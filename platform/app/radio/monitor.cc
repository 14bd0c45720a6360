// SPDX-License-Identifier: MIT
// `hawser radio monitor`: all channels of a radiod as a table that stays on the terminal, drawn after each poll; as
// lines of JSON where standard output is no terminal. Where streams are followed it shows their packets and gaps.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "engine/radio/frequency.h"
#include "engine/radio/payload.h"
#include "platform/app/plain_text.h"
#include "platform/app/radio/radio_text.h"
#include "platform/app/radio/subcommands.h"
#include "platform/app/terminal.h"
#include "platform/control/json_text.h"
#include "platform/control/radio/stream_receiver.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using control::StreamReceiver;

struct MonitorRequest {
    RadioOptions radio;
    bool json = false;
    bool once = false;
    std::optional<bool> streams;
    double interval_s = 1;
    std::string sort = "frequency";
};

// Joined unasked, or none of them: a busy radiod's groups together, or the one that all its channels share, are more
// than a slow network gives a looker-on. Untuned.
constexpr std::size_t streams_unasked_max = 16;
// What one radiod holds (ka9q-radio 4e0033b4), be it asked for.
constexpr std::size_t streams_max = 2000;
// A notice stands in the head of the table for so long. Untuned.
constexpr Duration notice_time{10'000'000'000};
// How long --once counts packets.
constexpr Duration once_counts{1'000'000'000};

struct Column {
    char key;
    const char* name;
};
constexpr Column columns[] = {{'n', "ssrc"}, {'f', "frequency"}, {'p', "preset"},
                              {'s', "snr"},  {'l', "level"},     {'g', "gaps"}};

struct ChannelRow {
    const radio::OnAir* channel = nullptr;
    std::optional<double> snr;
    std::optional<StreamReceiver::Quality> quality;
    std::optional<double> packets_per_s;
};

// What is not told is below everything that is; so is what is no number, which has no place of its own.
double order_of(bool is_told, double value) { return is_told && !std::isnan(value) ? value : -INFINITY; }
double power_of(const ChannelRow& row) { return order_of(row.snr.has_value(), row.snr.value_or(0)); }
double level_of(const radio::Status& s) { return order_of(s.has(radio::RadioField::output_level), s.output.level); }
double frequency_of(const radio::Status& s) { return order_of(true, s.channel.frequency); }

bool is_before(const ChannelRow& a, const ChannelRow& b, char key) {
    const radio::Status& x = a.channel->status;
    const radio::Status& y = b.channel->status;
    const auto gaps = [](const ChannelRow& row) { return row.quality ? row.quality->stream.gaps : 0; };
    // The strongest and the worst first.
    if (key == 's' && power_of(a) != power_of(b)) return power_of(a) > power_of(b);
    if (key == 'l' && level_of(x) != level_of(y)) return level_of(x) > level_of(y);
    if (key == 'g' && gaps(a) != gaps(b)) return gaps(a) > gaps(b);
    if (key == 'p' && x.channel.preset.view() != y.channel.preset.view())
        return x.channel.preset.view() < y.channel.preset.view();
    if (key == 'f' && frequency_of(x) != frequency_of(y)) return frequency_of(x) < frequency_of(y);
    return x.channel.ssrc < y.channel.ssrc;
}

std::string number_or_dash(bool is_there, double value) {
    return is_there && std::isfinite(value) ? fmt::format("{:.1f}", value) : "-";
}

std::string header_line() {
    return fmt::format("{:>10} {:>14} {:<9} {:>7} {:>9} {:<8} {:>6} {:>2} {:>7} {:>9} {:>6} {:>6}", "SSRC",
                       "frequency, Hz", "preset", "SNR, dB", "level, dB", "encoding", "rate", "ch", "RTP/s", "packets",
                       "lost", "gaps");
}

std::string line_of(const ChannelRow& row) {
    const radio::Status& s = row.channel->status;
    std::string preset(s.channel.preset.view());
    if (preset.empty()) preset = radio::name_of(radio::demod_names, static_cast<std::uint64_t>(s.channel.demod_type));
    for (char& c : preset)
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = '?';
    const auto count = [&](std::uint64_t n) { return row.quality ? std::to_string(n) : std::string("-"); };
    const StreamReceiver::Quality q = row.quality.value_or(StreamReceiver::Quality{});
    return fmt::format("{:>10} {:>14} {:<9} {:>7} {:>9} {:<8} {:>6} {:>2} {:>7} {:>9} {:>6} {:>6}", s.channel.ssrc,
                       radio::format_number(s.channel.frequency), preset.substr(0, 9),
                       number_or_dash(row.snr.has_value(), row.snr.value_or(0)),
                       number_or_dash(s.has(radio::RadioField::output_level), double{s.output.level}),
                       radio::name_of(radio::encoding_names, static_cast<std::uint64_t>(s.output.encoding)),
                       s.output.samprate, s.output.channels,
                       row.packets_per_s ? fmt::format("{:.1f}", *row.packets_per_s) : "-", count(q.stream.packets),
                       count(q.sequence.lost), count(q.stream.gaps));
}

nlohmann::ordered_json json_of(const ChannelRow& row) {
    nlohmann::ordered_json out = status_json(row.channel->status);
    out["from"] = os::endpoint_text(row.channel->source);
    if (row.quality) {
        const StreamReceiver::Quality& q = *row.quality;
        out["stream"] = {{"packets", q.stream.packets}, {"lost", q.sequence.lost},
                         {"late", q.sequence.late},     {"duplicates", q.sequence.duplicates},
                         {"gaps", q.stream.gaps},       {"silences", q.stream.silences},
                         {"epochs", q.stream.epochs},   {"undecodable", q.stream.undecodable},
                         {"takeovers", q.takeovers}};
        if (row.packets_per_s) out["stream"]["packets_per_s"] = std::round(*row.packets_per_s * 10) / 10;
    }
    return out;
}

class MonitorRun {
public:
    MonitorRun(const MonitorRequest& request, RadioSession& session) : r_(request), s_(session) {
        for (const Column& c : columns)
            if (r_.sort == c.name) key_ = c.key;
        streams_.emplace(
            s_.loop(), StreamReceiver::Settings{s_.group().interface, s_.group().source},
            [](std::uint32_t, const radio::Stream::Item&) {},
            [this](const Endpoint& source, Bytes packet) { s_.link().take(s_.radio(), source, packet); },
            [this](const std::string& text) { note(text); });
    }

    int run() {
        s_.link().on_status([this](radio::RadioId, const Endpoint& source, const radio::Status& status) {
            streams_->on_status(source, status);
        });
        if (!r_.once && !r_.json) terminal_ = Terminal::open();
        if (terminal_ != nullptr) {
            s_.loop().watch(STDIN_FILENO, [this] { on_key(); });
            s_.loop().on_signals({SIGWINCH, SIGTSTP}, [this](int signal) {
                if (signal == SIGTSTP) terminal_->stop();
                show();
            });
        }
        const auto ask = [this] { s_.service().discover(s_.radio(), os::now()); };
        const Duration interval{std::llround(r_.interval_s * 1e9)};
        s_.loop().every(r_.once ? std::min(interval, once_counts) : interval, [this, ask] {
            ask();
            s_.link().pump();
        });
        const auto ends = r_.once ? RadioSession::Ends::by_itself : RadioSession::Ends::when_told;
        const int code = s_.run(ends, ask, [this](const radio::RadioEvent& e) {
            if (e.kind == radio::RadioEventKind::list_done) on_list(e.cut_short);
            if (e.kind == radio::RadioEventKind::radiod_restarted) note(s_.name() + " was restarted");
            if (e.kind == radio::RadioEventKind::number_clash)
                note("two radiods use the number " + std::to_string(e.ssrc));
        });
        if (terminal_ != nullptr) s_.loop().unwatch(STDIN_FILENO);
        terminal_.reset();
        return code;
    }

private:
    void on_list(bool cut_short) {
        is_cut_short_ = cut_short;
        const auto channels = s_.service().roster().channels(s_.radio());
        follow(channels);
        count();
        if (!r_.once) return show();
        if (channels.empty()) return s_.end(fail("no channel of " + s_.full_name() + " answered"));
        const Instant now = os::now();
        if (first_list_ == Instant{}) first_list_ = now;
        if (follows_ && now - first_list_ < once_counts) return;
        show();
        s_.end(cut_short ? fail(cut_short_text) : exit_ok);
    }

    // Decided anew with each list: radiods start with few channels, and whoever is on the group may invent more.
    void follow(const std::vector<const radio::OnAir*>& channels) {
        follows_ = r_.streams.value_or(channels.size() <= streams_unasked_max);
        std::erase_if(counted_, [this](const auto& counted) {
            const bool has_gone = s_.service().roster().find(s_.radio(), counted.first) == nullptr;
            if (has_gone || !follows_) streams_->unfollow(counted.first);
            return has_gone || !follows_;
        });
        for (const radio::OnAir* c : channels) {
            const std::uint32_t ssrc = c->status.channel.ssrc;
            const bool is_new = !streams_->follows(ssrc) && radio::AudioFormat::of(c->status);
            if (!follows_ || !is_new || counted_.size() >= streams_max) continue;
            counted_[ssrc];
            streams_->follow(ssrc);
            streams_->on_status(c->source, c->status);
        }
    }

    void note(const std::string& text) {
        notice_ = text;
        noted_ = os::now();
    }
    // What is to be said beside the table.
    [[nodiscard]] std::string notice() const {
        const bool is_old = terminal_ != nullptr && os::now() - noted_ > notice_time;
        std::string out = is_old ? std::string() : notice_;
        if (is_cut_short_) out += (out.empty() ? "" : "; ") + std::string(cut_short_text);
        return out;
    }

    // Where two radiods use one number, the stream is that of one of them.
    [[nodiscard]] std::optional<StreamReceiver::Quality> quality_of(const radio::OnAir& channel) const {
        const std::uint32_t ssrc = channel.status.channel.ssrc;
        return streams_->source(ssrc) == channel.source ? streams_->quality(ssrc) : std::nullopt;
    }

    // Packets a second since the last list.
    void count() {
        const Instant now = os::now();
        for (const radio::OnAir* c : s_.service().roster().channels(s_.radio())) {
            const std::uint32_t ssrc = c->status.channel.ssrc;
            const auto quality = quality_of(*c);
            if (!quality) continue;
            Counted& counted = counted_[ssrc];
            const double seconds = static_cast<double>((now - counted.at).ns) * 1e-9;
            if (counted.at != Instant{} && seconds > 0)
                counted.per_s = static_cast<double>(quality->stream.packets - counted.packets) / seconds;
            counted.at = now;
            counted.packets = quality->stream.packets;
        }
    }

    // Anew each time: they are views of the roster, which the next packet may change.
    void build_rows() {
        rows_.clear();
        for (const radio::OnAir* c : s_.service().roster().channels(s_.radio())) {
            const std::uint32_t ssrc = c->status.channel.ssrc;
            const auto quality = quality_of(*c);
            const auto counted = counted_.find(ssrc);
            rows_.push_back({c, c->status.snr_db(), quality,
                             quality && counted != counted_.end() ? counted->second.per_s : std::nullopt});
        }
    }

    void show() {
        build_rows();
        std::stable_sort(rows_.begin(), rows_.end(), [this](const ChannelRow& a, const ChannelRow& b) {
            return is_reversed_ ? is_before(b, a, key_) : is_before(a, b, key_);
        });
        if (terminal_ != nullptr) return draw();
        if (r_.once && !r_.json) {
            print(header_line() + "\n");
            for (const ChannelRow& row : rows_) print(line_of(row) + "\n");
        } else {
            nlohmann::ordered_json line{{"radio", s_.name()}, {"channels", nlohmann::ordered_json::array()}};
            for (const ChannelRow& row : rows_) line["channels"].push_back(json_of(row));
            if (const std::string text = notice(); !text.empty()) line["notice"] = text;
            notice_.clear();
            print(control::text_of(line) + "\n");
        }
        if (!flush_output()) s_.end(exit_failed);
    }

    void draw() {
        if (const std::string said = terminal_->last_said(); !said.empty()) note(printable(said));
        const std::string said = notice();
        std::string page = fmt::format("{}: {}{}\n", s_.name(),
                                       rows_.empty() ? "no channel answers" : fmt::format("channels: {}", rows_.size()),
                                       said.empty() ? "" : "; " + said);
        page += header_line() + "\n";
        const std::size_t room = Terminal::size().rows;
        // The last line is the help's; rows that do not fit are counted.
        const std::size_t fit = room > 3 ? room - 3 : 0;
        for (std::size_t i = 0; i < std::min(fit, rows_.size()); ++i) page += line_of(rows_[i]) + "\n";
        if (rows_.size() > fit) page += fmt::format("{} more   ", rows_.size() - fit);
        page += "sort: n)umber f)requency p)reset s)nr l)evel g)aps  r)everse  q)uit";
        terminal_->draw(page, 2);
    }

    void on_key() {
        const char key = terminal_->key();
        if (key == 'q' || key == '\0') return s_.end(exit_ok);  // no key: the terminal has gone
        if (key == 'r') is_reversed_ = !is_reversed_;
        for (const Column& c : columns)
            if (key == c.key) key_ = key;
        show();
    }

    struct Counted {
        Instant at;
        std::uint64_t packets = 0;
        std::optional<double> per_s;
    };
    const MonitorRequest& r_;
    RadioSession& s_;
    std::optional<StreamReceiver> streams_;
    std::unique_ptr<Terminal> terminal_;
    std::map<std::uint32_t, Counted> counted_;
    std::vector<ChannelRow> rows_;
    std::string notice_;
    Instant noted_;
    Instant first_list_;
    char key_ = 'f';
    bool is_reversed_ = false;
    bool follows_ = false;
    bool is_cut_short_ = false;
};

int monitor(const MonitorRequest& r) {
    const auto session = RadioSession::open(r.radio);
    if (!session) return session.error();
    return MonitorRun(r, **session).run();
}

}  // namespace

void add_monitor_subcommand(RadioSubcommands& subcommands) {
    const auto r = std::make_shared<MonitorRequest>();
    cli::App* sub = subcommands.add("monitor", "all channels as a live table; as lines of JSON without a terminal",
                                    [r] { return monitor(*r); });
    add_radio_options(*sub, r->radio);
    add_json_option(*sub, r->json);
    sub->add_flag("--once", r->once, "one table, as text");
    sub->add_option("-i,--interval", r->interval_s, "seconds between two polls (default 1)")
        ->check(cli::Range(0.5, 3600.0));
    sub->add_option("--sort", r->sort, "ssrc, frequency (default), preset, snr, level, gaps; keys change it")
        ->check(cli::IsMember({"ssrc", "frequency", "preset", "snr", "level", "gaps"}))
        ->type_name("COLUMN");
    sub->add_flag_function(
        "--streams,!--no-streams", [r](std::int64_t count) { r->streams = count > 0; },
        "receive the channels' streams and count their packets, or not (default: of 16 channels at most)");
}

}  // namespace hawser::app
