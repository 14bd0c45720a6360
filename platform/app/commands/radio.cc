// SPDX-License-Identifier: MIT
// `hawser radio`: one radiod and its channels from the command line, with the habits of ka9q-radio's tools: RADIO in
// the environment, frequencies as 147m435, exit codes 0 done, 1 failed, 2 usage.
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "engine/radio/address.h"
#include "engine/radio/frequency.h"
#include "platform/app/commands/commands.h"
#include "platform/app/commands/options.h"
#include "platform/app/radio/radio_session.h"
#include "platform/app/radio/radio_text.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

using radio::RadioEvent;
using Kind = radio::RadioEventKind;

constexpr const char* footer =
    "The radiod is named by -r or the environment's RADIO: its status group as an address, or the name in radiod's\n"
    "configuration, from which the group is computed as radiod does. Frequencies are 14.074e6, 147m435, 10m0, 760k0.\n"
    "Fields are `frontend.gain`, `agc.enable` ... or radiod's names (RF_GAIN); `hawser radio query` shows them.";

struct Request {
    RadioOptions radio;
    bool json = false;
    bool watch = false;
    double interval_s = 1;
    std::uint32_t ssrc = 0;
    std::string field;
    std::vector<std::string> assignments;  // field, value, field, value ...
    std::vector<std::pair<std::string, std::string>> settings;
};

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
int fail(const std::string& text) {
    std::fprintf(stderr, "hawser radio: %s\n", text.c_str());
    return exit_failed;
}

// ---- list and query: a poll of all channels, which alone creates none. -------------------------------------------

int show_list(const Request& r, RadioSession& s) {
    const auto channels = s.service().roster().channels(s.radio());
    if (channels.empty()) return fail("no channel of " + r.radio.name + " answered");
    print(r.json ? channels_json(channels).dump() + "\n" : channel_table(channels));
    return exit_ok;
}

int show_channel(const Request& r, RadioSession& s) {
    const radio::OnAir* channel = s.service().roster().find(s.radio(), r.ssrc);
    if (channel == nullptr) return fail(r.radio.name + " has no channel " + std::to_string(r.ssrc));
    if (!r.field.empty()) {
        const auto field = wire::find_radio_field(r.field);
        const auto value = radio::value_of(channel->status, *field);
        if (!channel->status.has(*field)) return fail("the channel does not tell " + r.field);
        print(radio::format_value(*field, value) + "\n");
    } else {
        print(r.json ? status_json(channel->status).dump() + "\n" : status_text(channel->status));
    }
    return exit_ok;
}

int poll(const Request& r, int (*show)(const Request&, RadioSession&)) {
    if (!r.field.empty() && !wire::find_radio_field(r.field)) {
        std::fprintf(stderr, "hawser radio: there is no field '%s'\n", r.field.c_str());
        return exit_usage;
    }
    const auto session = RadioSession::open(r.radio);
    if (!session) return exit_failed;
    RadioSession& s = *session;
    const auto ask = [&s] { s.service().discover(s.radio(), os::now()); };
    ask();
    if (r.watch)
        s.loop().every(Duration{std::llround(r.interval_s * 1e9)}, [&] {
            ask();
            s.link().pump();
        });
    return s.run([&](const RadioEvent& e) {
        if (e.kind != Kind::list_done) return;
        const int code = show(r, s);
        std::fflush(stdout);
        if (!r.watch) s.end(code);
    });
}

// ---- tune, set, create, remove: commands that radiod confirms. ----------------------------------------------------

// What the command asks for, as a status would tell it: the two packets differ in their first byte.
std::optional<radio::Status> wanted_by(const radio::Command& command, std::uint32_t ssrc) {
    std::array<std::uint8_t, radio::command_packet_bytes_max> room;
    const Bytes packet = radio::build_command(room, 0, ssrc, command.elements());
    room[0] = 0;
    radio::Status status;
    if (radio::decode_status(packet, status)) return std::nullopt;
    return status;
}

// Fields that radiod answers with another value than it was told.
std::string refused(const radio::Command& command, const radio::Status& got) {
    std::string out;
    const auto wanted = wanted_by(command, got.channel.ssrc);
    if (!wanted) return out;
    for (const auto& row : wire::radio_fields) {
        if (!row.settable || row.field == wire::RadioField::command_tag || row.field == wire::RadioField::lifetime ||
            row.field == wire::RadioField::output_data_dest_socket || row.type == wire::RadioType::none)
            continue;
        if (!wanted->has(row.field) || !got.has(row.field)) continue;
        const auto value = radio::value_of(got, row.field);
        if (radio::format_value(row.field, radio::value_of(*wanted, row.field)) ==
            radio::format_value(row.field, value))
            continue;
        out += (out.empty() ? "" : ", ") + std::string(row.path) + " is " + radio::format_value(row.field, value);
    }
    return out;
}

// Names the setting at fault on stderr.
bool build(const Request& r, radio::Command& command) {
    for (const auto& [field, value] : r.settings) {
        const auto put = command.put_text(field, value);
        if (put) continue;
        const char* why = "";
        switch (put.error()) {
            case radio::FieldFault::unknown: why = "there is no such field"; break;
            case radio::FieldFault::not_settable: why = "radiod lets nobody set it"; break;
            case radio::FieldFault::bad_value: why = "that is no value of it"; break;
            case radio::FieldFault::too_much: why = "too much for one command"; break;
        }
        std::fprintf(stderr, "hawser radio: %s %s: %s\n", field.c_str(), value.c_str(), why);
        return false;
    }
    return true;
}

int finish_tune(const Request& r, const radio::Command& command, const radio::Status& got) {
    if (r.json)
        print(status_json(got).dump() + "\n");
    else
        std::printf("%u %s %s Hz, %u Hz\n", got.channel.ssrc, std::string(got.channel.preset.view()).c_str(),
                    radio::format_number(got.channel.frequency).c_str(), got.output.samprate);
    const std::string kept = refused(command, got);
    return kept.empty() ? exit_ok : fail("radiod did not take all of it: " + kept);
}

// Sends a command that radiod confirms, once the channel has been seen where it must be there: a command to a number
// that is not would create it. send() answers whether it is on its way; `finish` is called at the event `done`.
template <class Send, class Finish>
int confirm(const Request& r, RadioSession& s, bool must_exist, Kind done, Send&& send, Finish&& finish) {
    bool is_sent = !must_exist;
    if (must_exist)
        s.service().discover(s.radio(), os::now());
    else
        send();
    return s.run([&](const RadioEvent& e) {
        const bool is_listed = e.kind == Kind::list_settled || e.kind == Kind::list_done;
        if (is_listed && !is_sent) {
            if (s.service().roster().find(s.radio(), r.ssrc) != nullptr)
                is_sent = send();
            else if (e.kind == Kind::list_done)
                s.end(fail(r.radio.name + " has no channel " + std::to_string(r.ssrc)));
        } else if (e.kind == done) {
            s.end(finish());
        } else if (e.kind == Kind::expired) {
            s.end(fail(r.radio.name + " did not answer within 5 s"));
        }
    });
}

int tune(const Request& r, bool must_exist) {
    radio::Command command;
    if (!build(r, command)) return exit_usage;
    const auto session = RadioSession::open(r.radio);
    if (!session) return exit_failed;
    RadioSession& s = *session;
    const auto send = [&] {
        if (const auto id = s.service().tune(s.radio(), r.ssrc, command, 0, os::now()); id) return true;
        std::fprintf(stderr, "hawser radio: %u is no channel's number\n", r.ssrc);
        s.end(exit_usage);
        return true;  // not to be tried again
    };
    return confirm(r, s, must_exist, Kind::confirmed, send,
                   [&] { return finish_tune(r, command, s.service().status()); });
}

int remove(const Request& r) {
    const auto session = RadioSession::open(r.radio);
    if (!session) return exit_failed;
    RadioSession& s = *session;
    const auto send = [&] { return bool(s.service().remove(s.radio(), r.ssrc, os::now())); };
    return confirm(r, s, true, Kind::channel_removed, send, [] { return exit_ok; });
}

// ---- dump: what is said on a group, commands of all clients included. ---------------------------------------------

void dump_packet(const Request& r, const control::Datagram& d) {
    const auto reader = wire::RadioReader::over(d.bytes);
    const bool is_command = reader && reader->type() == wire::RadioPacketType::command;
    radio::Status status;
    std::vector<std::uint8_t> copy(d.bytes.begin(), d.bytes.end());
    if (is_command) copy[0] = 0;
    const auto fault = radio::decode_status(copy, status);
    const char* kind = is_command ? "CMD" : "STATUS";
    if (r.json) {
        nlohmann::ordered_json line;
        line["from"] = os::endpoint_text(d.source);
        line["to"] = os::endpoint_text(d.group);
        line["bytes"] = d.bytes.size();
        line["packet"] = reader ? kind : "unknown";
        if (!fault) line["fields"] = status_json(status);
        print(line.dump() + "\n");
    } else {
        std::printf("%s -> %s %zu bytes %s\n%s\n", os::endpoint_text(d.source).c_str(),
                    os::endpoint_text(d.group).c_str(), d.bytes.size(), reader ? kind : "of no known kind",
                    fault ? "" : status_text(status).c_str());
    }
}

int dump(const Request& r, std::uint64_t packets) {
    auto group = group_of(r.radio);
    if (!group) return exit_usage;
    control::Loop loop;
    const auto say = [](const std::string& text) { std::fprintf(stderr, "hawser radio: %s\n", text.c_str()); };
    std::uint64_t seen = 0;
    control::GroupReceiver::Settings settings;
    settings.port = group->group.port;
    control::GroupReceiver receiver(
        loop, settings,
        [&](std::span<const control::Datagram> received) {
            for (const control::Datagram& d : received) {
                if (packets != 0 && seen == packets) break;
                dump_packet(r, d);
                ++seen;
            }
            std::fflush(stdout);
            if (packets != 0 && seen == packets) loop.quit(exit_ok);
        },
        say);
    if (const auto joined = receiver.join(*group); !joined) return fail(joined.error().text());
    loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.quit(exit_ok); });
    return loop.run();
}

// ---- The command line. --------------------------------------------------------------------------------------------

void add_radio_options(CLI::App& app, Request& r) {
    app.add_option("-r,--radio", r.radio.name, "the radiod: NAME or GROUP, [:PORT][,INTERFACE]")
        ->envname("RADIO")
        ->required()
        ->type_name("NAME");
    app.add_option("--iface", r.radio.interface, "network interface, by name or address")->type_name("NAME");
    app.add_option("-o,--source", r.radio.source, "only what this address sends")->check(numeric_address());
    app.add_option("--ttl", r.radio.ttl, "of commands: 0 stays on this host (default 1)")->check(CLI::Range(0, 255));
    app.add_flag("--json", r.json, "as JSON, a line for each answer");
}

void add_setting(CLI::App& app, Request& r, const char* flags, const char* path, const char* help, const char* type) {
    app.add_option_function<std::string>(
           flags, [&r, path](const std::string& value) { r.settings.emplace_back(path, value); }, help)
        ->type_name(type);
}

void add_channel_settings(CLI::App& app, Request& r) {
    // GAIN switches the AGC off in radiod; the command puts them into the right order.
    add_setting(app, r, "-f,--frequency", "channel.frequency", "carrier or centre", "HZ");
    add_setting(app, r, "-m,-p,--mode,--preset", "channel.preset", "preset, such as usb", "NAME");
    add_setting(app, r, "-R,--samprate", "output.samprate", "output rate", "HZ");
    add_setting(app, r, "-L,--low", "filter.low_edge", "lower edge of the filter", "HZ");
    add_setting(app, r, "-H,--high", "filter.high_edge", "upper edge of the filter", "HZ");
    add_setting(app, r, "-g,--gain", "agc.gain", "fixed gain; switches the AGC off", "DB");
    add_setting(app, r, "-a,--agc", "agc.enable", "on or off", "ON");
    add_setting(app, r, "-e,--encoding", "output.encoding", "s16be, f32le, opus ...", "NAME");
    add_setting(app, r, "-c,--channels", "output.channels", "1 or 2", "N");
    add_setting(app, r, "-D,--data", "output.dest", "where its RTP goes", "GROUP");
    add_setting(app, r, "--rfgain", "frontend.gain", "of the front end", "DB");
    add_setting(app, r, "--rfatten", "frontend.atten", "of the front end", "DB");
    add_setting(app, r, "--lifetime", "channel.lifetime", "blocks of 20 ms until the channel ends; 0: for ever",
                "BLOCKS");
    app.add_option_function<std::vector<std::string>>(
           "--set",
           [&r](const std::vector<std::string>& pairs) {
               for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) r.settings.emplace_back(pairs[i], pairs[i + 1]);
           },
           "any other field and its value; may be repeated")
        ->type_name("FIELD VALUE")
        ->expected(2);
}

CLI::Validator ssrc_number() {
    return CLI::Validator(
        [](std::string& text) {
            const auto value = radio::parse_integer(text);
            const bool is_ssrc = value && *value > 0 && *value < radio::poll_all_ssrc;
            return is_ssrc ? std::string() : "'" + text + "' is no channel's number (1 to 4294967294)";
        },
        "SSRC");
}

}  // namespace

int command_radio(int argc, char** argv) {
    Request r;
    std::uint64_t packets = 0;
    CLI::App app("Shows, tunes and ends the channels of a ka9q-radio radiod.", "hawser radio");
    app.require_subcommand(1);
    app.footer(footer);
    const auto add = [&](const char* name, const char* help) {
        CLI::App* sub = app.add_subcommand(name, help);
        add_radio_options(*sub, r);
        return sub;
    };
    CLI::App* list = add("list", "all channels of the radiod");
    CLI::App* query = add("query", "one channel, whole or one field; creates none");
    CLI::App* tune_command = add("tune", "changes a channel, or creates it, and waits for radiod's answer");
    CLI::App* set = add("set", "changes fields of a channel that is there");
    CLI::App* remove_command = add("remove", "ends a channel");
    CLI::App* dump_command = add("dump", "every status and command on the group, as it comes");
    for (CLI::App* sub : {list, query}) {
        sub->add_flag("--watch", r.watch, "again and again");
        sub->add_option("--interval", r.interval_s, "seconds between (default 1)")->check(CLI::Range(0.2, 3600.0));
    }
    for (CLI::App* sub : {query, set, remove_command})
        sub->add_option("SSRC", r.ssrc, "the channel's number")->required()->check(ssrc_number());
    query->add_option("--field", r.field, "that field's value alone")->type_name("PATH");
    tune_command->add_option("-s,--ssrc", r.ssrc, "the channel's number")->required()->check(ssrc_number());
    add_channel_settings(*tune_command, r);
    set->add_option("FIELD VALUE", r.assignments, "fields and their values, in turn")->required();
    dump_command->add_option("-c,--count", packets, "end after so many packets")->type_name("N");
    if (const auto code = parse(app, argc, argv, exit_usage)) return *code;

    if (list->parsed()) return poll(r, show_list);
    if (query->parsed()) return poll(r, show_channel);
    if (tune_command->parsed()) return tune(r, false);
    if (remove_command->parsed()) return remove(r);
    if (dump_command->parsed()) return dump(r, packets);
    if (r.assignments.size() % 2 != 0) {
        std::fprintf(stderr, "hawser radio: '%s' has no value\n", r.assignments.back().c_str());
        return exit_usage;
    }
    for (std::size_t i = 0; i < r.assignments.size(); i += 2)
        r.settings.emplace_back(r.assignments[i], r.assignments[i + 1]);
    return tune(r, true);
}

}  // namespace hawser::app
