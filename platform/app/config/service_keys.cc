// SPDX-License-Identifier: MIT
#include "platform/app/config/service_keys.h"

#include "platform/app/io_choice.h"
#include "platform/app/log.h"

namespace hawser::app {

namespace {

using namespace literals;

constexpr std::uint32_t bytes_per_mib = 1024 * 1024;

}  // namespace

KeyTable pump_table(PumpSettings& p) {
    KeyTable t{"pump", "How packets move.", {}, {}, {}, {}};
    t.keys = {
        choice_key(
            "io", {"auto", "uring", "epoll"}, "io_uring, or epoll; auto takes io_uring where the kernel grants it.",
            [&p] { return std::string(name_of(p.io)); }, [&p](const std::string& word) { p.io = *parse_io_kind(word); })
            .at_start(),
        span_key("coalesce_us", p.coalesce, 1_us, 0, 20'000,
                 "The longest wait for company, in microseconds, used only at rates where it pays; 0 never holds a "
                 "packet back.")
            .at_start(),
        whole_key(
            "cpu", 0, 1023, "The one processor that the pump runs on.",
            [&p] { return p.cpu ? std::optional<std::int64_t>(*p.cpu) : std::nullopt; },
            [&p](std::int64_t cpu) { p.cpu = static_cast<unsigned>(cpu); })
            .like(std::int64_t{1})
            .at_start(),
        whole_key(
            "buffer_mib", 4, 128, "Packet memory.",
            [&p] { return std::optional<std::int64_t>(std::int64_t{p.pool_slots} * pool_slot_bytes / bytes_per_mib); },
            [&p](std::int64_t mib) {
                p.pool_slots = static_cast<std::uint32_t>(mib) * bytes_per_mib / pool_slot_bytes;
            })
            .at_start(),
    };
    return t;
}

KeyTable recorder_table(RecorderSettings& r, const std::string& folder) {
    KeyTable t{"recorder",
               "The flight recorder: what became of the last packets, kept in memory and written for Wireshark when "
               "asked for (hawser dump, SIGUSR2).",
               {},
               {},
               {},
               {}};
    t.keys = {
        whole_key("packets", r.packets, 0, recorder_packets_bound,
                  "How many; each takes 64 bytes of memory. 0: the recorder is off.")
            .at_start(),
        whole_key("payload_bytes", r.payload_bytes, 0, recorder_payload_bound,
                  "How much of each data packet's payload is kept; 0: headers alone. Whoever gets a recording with "
                  "payload can read what was not encrypted.")
            .at_start(),
        text_key("folder", r.folder,
                 "Where recordings are written; the folder recordings of the state folder unless said.")
            .like(folder + "/recordings")
            .at_start(),
    };
    return t;
}

KeyTable control_table(rpc::ServerSettings& s, const char* example) {
    KeyTable t{
        "control", "The socket for hawser status, top, ctl and log, and for programs (JSON-RPC 2.0).", {}, {}, {}, {}};
    t.keys = {
        text_key(
            "socket", s.path,
            "Its path. A service has it in its runtime folder unless said; systemctl reload asks there, and needs a "
            "drop-in for ExecReload= where it is elsewhere. Root and the program's own user may operate, the file's "
            "group may observe.")
            .like(example)
            .at_start(),
        text_key("group", s.group,
                 "The socket file's group, where it is not the program's own: one that its user belongs to (a service: "
                 "SupplementaryGroups= in a drop-in).")
            .like("video")
            .at_start(),
        flag_key("group_operates", s.group_operates, "That group may operate too.").at_start(),
    };
    return t;
}

KeyTable metrics_table(std::optional<Endpoint>& at) {
    KeyTable t{"metrics", "Figures over HTTP: /metrics for Prometheus, / lists the other pages.", {}, {}, {}, {}};
    t.keys = {
        endpoint_key("listen", at, "127.0.0.1", "Where; a port alone is one of 127.0.0.1.")
            .like("127.0.0.1:9101")
            .at_start(),
    };
    return t;
}

KeyTable log_table(Level& level, double& stats_seconds) {
    KeyTable t{"log", "What is said on standard error, and by journald.", {}, {}, {}, {}};
    t.keys = {
        choice_key(
            "level", {"trace", "debug", "info", "warn", "error", "off"}, "The least important that is told.",
            [&level] { return std::string(name_of(level)); },
            [&level](const std::string& word) { level = *parse_level(word); }),
        number_key("stats_s", stats_seconds, 0, 86'400,
                   "A table of the uplinks on standard output each so many seconds; 0: none.")
            .at_start(),
    };
    return t;
}

KeyTable events_table(EventLogSettings& s, const char* example) {
    KeyTable t{"events", "The event log: what happens, at once, and samples of the figures.", {}, {}, {}, {}};
    t.keys = {
        text_key("to", s.to,
                 "A file of JSON lines of this end's own, made anew on SIGHUP where it was moved away; or \"journal\", "
                 "with a field for each thing said.")
            .like(example)
            .at_start(),
        whole_key("samples_s", s.samples_s, 0, 3600,
                  "Samples are taken each second and written together each so many seconds; 0: none.")
            .at_start(),
        whole_key("size_mib", s.size_mib, 1, 4096, "A file that would grow beyond it becomes FILE.1, and one is kept.")
            .at_start(),
    };
    return t;
}

KeyTable radio_table(KeepRequest& r, const std::string& folder) {
    KeyTable t{"radio", "ka9q-radio channels that are to exist while this runs.", {}, {}, {}, {}};
    t.keys = {
        text_key("channels", r.file, "A file of [[radio]] and [[channel]], as hawser radio keep takes it.")
            .like("/etc/hawser/channels.toml")
            .at_start(),
        text_key("radio", r.radio.name, "The radiod, where that file names none.").like("hf.local").at_start(),
        text_key("cache", r.radio.cache, "What was learned of radiods is kept there, or none.")
            .like(folder + "/radio.json")
            .at_start(),
        whole_key("ttl", r.radio.ttl, 0, 255, "Of commands; 0 stays on this host.").at_start(),
        flag_key("remove", r.removes, "End the channels at the end, and those that a reload no longer has.").at_start(),
    };
    return t;
}

}  // namespace hawser::app
