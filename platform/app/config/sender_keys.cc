// SPDX-License-Identifier: MIT
#include "platform/app/config/sender_keys.h"

#include "platform/app/config/link_keys.h"
#include "platform/app/config/service_keys.h"
#include "platform/app/lookup_text.h"
#include "platform/linux/process.h"

namespace hawser::app {

namespace {

using namespace literals;

std::string bad_uplink(const std::string& entry) {
    control::UplinkList list;
    std::string complaint;
    static_cast<void>(control::add_uplink(list, entry, control::UplinkForms::all, complaint));
    return complaint;
}

// A number is a process's id, anything else a path.
std::string bad_process(const std::string& text) {
    const bool is_number = text.find_first_not_of("+-0123456789") == std::string::npos;
    return is_number && !os::parse_process_id(text) ? "'" + text + "' is no process id (2 or more) and no file"
                                                    : std::string();
}

constexpr const char* sender_state_folder = "/var/lib/hawser/send";  // of the unit

KeyTable selection_table(select::Settings& s) {
    KeyTable t{"selection", "Which uplink a packet takes.", {}, {}, {}, {}};
    t.keys = {
        choice_key(
            "mode", {"adaptive", "enhanced", "classic"},
            "adaptive: packets leave when an uplink has room, on the one where they arrive first; losses are repaired "
            "within SRT's latency. enhanced and classic: as irlserver's and BELABOX's senders choose.",
            [&s] { return std::string(select::name_of(s.mode)); },
            [&s](const std::string& word) { s.mode = select::mode_of(word); }),
        span_key("latency_ms", s.latency, 1_ms, 20, 30'000,
                 "adaptive: the time in which a packet is worth sending, where it is not SRT's own latency, which the "
                 "handshake tells.",
                 true)
            .like(std::int64_t{2000}),
        flag_key("quality", s.quality, "enhanced: weigh uplinks by NAKs and RTT."),
        flag_key("stall_gate", s.stall_gate,
                 "enhanced: keep data off uplinks that have gone quiet with packets in flight."),
        flag_key("explore", s.exploration, "enhanced: now and then try another uplink than the best."),
        whole_key("stall_min_in_flight", s.stall_min_in_flight, 1, 100'000,
                  "enhanced: packets in flight before an uplink can count as stalled."),
        span_key("stall_ack_stale_ms", s.stall_ack_stale, 1_ms, 100, 60'000,
                 "enhanced: the longest time without proof of delivery before an uplink counts as stalled."),
    };
    return t;
}

KeyTable encoder_table(BitrateFileSettings& s) {
    KeyTable t{"encoder", "The safe bitrate, told to the encoder.", {}, {}, {}, {}};
    t.keys = {
        text_key("bitrate_file", s.path,
                 "Keeps in this file what the encoder may send now: two lines, bitrate_min and the safe bitrate, in "
                 "bit/s, as belacoder reads them.")
            .like("/run/hawser/send/bitrate"),
        text_key("bitrate_signal", s.signal,
                 "Sends SIGHUP when that file has changed, to this process or to the one whose id is in this file.",
                 bad_process)
            .like("/run/belacoder.pid"),
        whole_key("bitrate_min", s.min, 10'000, 1'000'000'000, "The least that is ever told, in bit/s."),
        whole_key("bitrate_max", s.max, 10'000, 1'000'000'000, "The most, in bit/s."),
    };
    t.check = [&s]() -> std::string { return s.min > s.max ? "bitrate_min is above bitrate_max" : ""; };
    return t;
}

}  // namespace

KeySection sender_section(SenderRequest& r) {
    KeySection section{"sender", "hawser send: takes SRT on a local port and spreads it over several uplinks.", {}, {}};
    section.keys = {
        listen_key("listen", r.listen_address, r.listen_port, "127.0.0.1",
                   "Where the SRT caller is expected; a port alone is one of 127.0.0.1.")
            .like("127.0.0.1:5000")
            .needed()
            .at_start(),
        peer_key("receiver", r.receiver_host, r.receiver_port, "The SRTLA receiver.")
            .like("receiver.example:5000")
            .needed()
            .at_start(),
        words_key("uplinks", r.uplinks,
                  "\"auto\": every interface with a default route. Or a list: an interface with whatever address it "
                  "has, a source ADDRESS, or ADDRESS%DEVICE.",
                  bad_uplink)
            .like(std::vector<std::string>{"auto"})
            .needed(),
        words_key("auto_include", r.automatic.include,
                  "Of auto, only interfaces whose name or MAC address is like one of these patterns.")
            .like(std::vector<std::string>{"wwan*", "usb*", "eth0"}),
        words_key("auto_exclude", r.automatic.exclude, "Of auto, none like one of these patterns."),
        text_key("uplinks_file", r.uplinks_file,
                 "More uplinks, one a line, as the peers' senders have them; read again with this file.")
            .like("/etc/hawser/uplinks"),
        choice_key(
            "lookups", {"auto", "system", "links"},
            "Who is asked for the receiver's name. auto: the system's resolver, and where it fails or has said nothing "
            "for 2 s, each uplink's name servers through that uplink. system, links: these alone (links knows "
            "/etc/hosts too).",
            [&r] { return std::string(name_of(r.lookups)); },
            [&r](const std::string& word) { r.lookups = *parse_lookups(word); }),
        text_key("state_dir", r.state_folder,
                 "Where budgets are kept: the service's folder, /var/lib/hawser for root, else ~/.local/state/hawser "
                 "unless said.")
            .like(sender_state_folder)
            .at_start(),
        text_key(
            "runtime_dir", r.runtime_folder,
            "A folder for what the next run needs, so that the SRT session lives on through a restart by SIGTERM "
            "(SIGINT ends it): the group's id, in a file that only its owner can read. Under systemd the unit's own.")
            .like("/run/hawser/send")
            .at_start(),
        span_key("link_timeout_ms", r.bond.link_silence, 1_ms, 1'000, 60'000,
                 "Silence after which an uplink counts as lost."),
        flag_key("give_up", r.bond.give_up,
                 "End with code 1 when no uplink can be established for 10 s, instead of trying for ever.")
            .at_start(),
    };
    section.tables = {link_table(r.policies),
                      selection_table(r.selection),
                      encoder_table(r.bitrate),
                      radio_table(r.radio, sender_state_folder),
                      control_table(r.control, rpc::usual_sender_socket),
                      metrics_table(r.metrics),
                      log_table(r.log_level, r.stats_seconds),
                      events_table(r.events, "/var/log/hawser/send.jsonl"),
                      recorder_table(r.pump.recorder, sender_state_folder),
                      pump_table(r.pump)};
    return section;
}

}  // namespace hawser::app
