// SPDX-License-Identifier: MIT
#include "platform/app/config/receiver_keys.h"

#include "platform/app/config/service_keys.h"
#include "platform/app/source_prefix.h"

namespace hawser::app {

namespace {

using namespace literals;

std::string bad_network(const std::string& text) {
    return parse_prefix(text) ? std::string() : "'" + text + "' is no address or network such as 192.0.2.0/24";
}

constexpr const char* receiver_state_folder = "/var/lib/hawser/recv";  // of the unit

}  // namespace

KeySection receiver_section(ReceiverRequest& r) {
    KeySection section{
        "receiver", "hawser recv: takes senders' uplinks and hands each sender's SRT to an SRT server.", {}, {}};
    section.keys = {
        listen_key("listen", r.listen_address, r.listen_port,
                   "::", "Where senders are expected; a port alone takes both families.")
            .like("[::]:5000")
            .needed()
            .at_start(),
        peer_key("server", r.server_host, r.server_port, "The SRT server.").like("127.0.0.1:4001").needed(),
        words_key("allow", r.allowed, "Only senders from these networks may register; none listed: everybody.",
                  bad_network)
            .like(std::vector<std::string>{"192.0.2.0/24", "2001:db8::/32"})
            .at_start(),
        whole_key("groups", r.bond.groups_max, 1, bond::receiver_groups_bound, "The most senders at a time.")
            .at_start(),
        whole_key("links", r.bond.links_per_group_max, 1, bond::receiver_links_bound, "The most uplinks of one sender.")
            .at_start(),
        span_key("link_timeout_ms", r.bond.link_silence, 1_ms, 1'000, 600'000, "Silence that removes an uplink.")
            .at_start(),
        span_key("group_timeout_ms", r.bond.group_silence, 1_ms, 1'000, 600'000, "Silence that removes a sender.")
            .at_start(),
        flag_key("reports", r.bond.delivery_reports, "Tell senders that ask for it what each uplink brought, and when.")
            .at_start(),
        flag_key("hold", r.bond.reorder_hold,
                 "For senders that ask for it: let packets wait for earlier ones, within the SRT latency.")
            .at_start(),
        flag_key("gro", r.bond.join_segments,
                 "Let the kernel hand over several packets at once (UDP GRO); pays where senders segment.")
            .at_start(),
        text_key("client_files", r.client_files, "A folder for srtla-group-PORT files with the senders' addresses.")
            .like("/tmp")
            .at_start(),
    };
    section.tables = {radio_table(r.radio, receiver_state_folder),
                      control_table(r.control, rpc::usual_receiver_socket),
                      metrics_table(r.metrics),
                      log_table(r.log_level, r.stats_seconds),
                      events_table(r.events, "/var/log/hawser/recv.jsonl"),
                      recorder_table(r.pump.recorder, receiver_state_folder),
                      pump_table(r.pump)};
    return section;
}

}  // namespace hawser::app
