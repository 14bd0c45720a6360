// SPDX-License-Identifier: MIT
#include "platform/app/receiver_control.h"

#include <algorithm>

#include "platform/app/config/obstacle.h"
#include "platform/app/config/receiver_keys.h"
#include "platform/app/metrics/common_metrics.h"
#include "platform/app/random.h"
#include "platform/app/rpc/config_methods.h"
#include "platform/app/rpc/receiver_methods.h"
#include "platform/app/source_prefix.h"
#include "platform/linux/clock.h"
#include "platform/linux/limits.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {
// The server's name is looked up again this often, so that a moved server is found; a quarter of a usual DNS lifetime.
// One that was never found is asked for sooner, when a sender wants it.
constexpr Duration lookup_interval{60'000'000'000};
constexpr Duration look_interval{1'000'000'000};
// 8192 usual slots become 1024 of 64 KiB, 64 MiB of addresses. Untuned.
constexpr std::uint32_t slots_per_joined_slot = 8;
}  // namespace

Result<std::unique_ptr<ReceiverService>, std::string> start_receiver(const bond::ReceiverOptions& options,
                                                                     PumpSettings settings) {
    Entropy entropy;
    fill_random(entropy);
    // The listening socket, one per group, and as many again that are closing.
    settings.sockets_max = std::max(settings.sockets_max, 2 * options.groups_max + 8);
    if (options.join_segments) {
        // Fewer slots, as the listening socket's packets share them; each is touched as far as it is filled.
        settings.slot_bytes = joined_slot_bytes;
        settings.pool_slots /= slots_per_joined_slot;
    }
    return ReceiverService::start(
        settings, [&](Pool& pool) { return std::make_unique<bond::Receiver>(options, pool, entropy); },
        [&](ReceiverSnapshot& s) { s.reserve(options.groups_max, options.groups_max * options.links_per_group_max); });
}

ReceiverControl::ReceiverControl(const ReceiverRequest& request, RereadReceiver reread)
    : ServiceControl(EventNames{}), request_(request), reread_(std::move(reread)), files_(request.client_files) {}

// How many there may be was verified before.
void ReceiverControl::take_allowed() {
    request_.bond.allowed_count = 0;
    for (const std::string& text : request_.allowed) {
        const auto prefix = parse_prefix(text);
        HAWSER_CHECK(prefix && request_.bond.allowed_count < bond::source_prefixes_max);
        request_.bond.allowed[request_.bond.allowed_count++] = *prefix;
    }
}

bool ReceiverControl::start_service() {
    const auto address = os::parse_address(request_.listen_address);
    HAWSER_CHECK(address);
    request_.bond.listen = *address;
    request_.bond.listen.port = request_.listen_port;
    // A socket per group, as many that are closing, and what the program itself holds open.
    const std::uint64_t wanted = 2 * std::uint64_t{request_.bond.groups_max} + 64;
    if (const std::uint64_t granted = os::raise_descriptor_limit(wanted); granted < wanted)
        log(Level::warn, "the limit of {} open files holds fewer than {} groups (ulimit -n, LimitNOFILE=)", granted,
            request_.bond.groups_max);
    return take_service(start_receiver(request_.bond, request_.pump), request_.pump.recorder,
                        request_.bond.receive_buffer_bytes);
}

void ReceiverControl::on_resolved(const control::Resolution& r) {
    if (r.resolved.count == 0) {
        const std::string text = fmt::format("Failed to resolve {}: {}", r.host, r.error);
        if (std::exchange(failure_, text) != text) tell(Level::warn, "name_not_found", text);
        return;
    }
    failure_.clear();
    const bool same =
        r.resolved.count == server_.count &&
        std::equal(server_.addresses.begin(), server_.addresses.begin() + server_.count, r.resolved.addresses.begin());
    if (same) return;
    server_ = r.resolved;
    log(Level::info, "SRT server {} is at {}", request_.server_host, os::endpoint_text(server_.addresses[0]));
    Command c;
    c.kind = CommandKind::set_server;
    c.resolved = server_;
    send(c);
}

void ReceiverControl::on_event(const Event& event) {
    files_.on_event(event);
    if (event.kind == EventKind::receiver_group_created)
        ways_.begin(local_way(event.group.value), former_server(event.group), event.at);
    if (event.kind == EventKind::receiver_link_added)
        ways_.begin(uplink_way(event.group.value, event.link),
                    former_link(event.group, event.link, request_.bond.listen, event.endpoint), event.at);
    // Told once a second at most, while a sender waits for it.
    if (event.kind == EventKind::receiver_no_server) look_up_server();
    if (event.kind == EventKind::receiver_listening && request_.compat) log(Level::info, "srtla_rec is now running");
}

Result<std::function<void()>, std::string> ReceiverControl::prepare_reload() {
    auto wanted = wanted_now(reread_, request_);
    if (!wanted) return Failure{wanted.error()};
    if (const auto ports = port_obstacles_to(*wanted, &request_); !ports.empty()) return Failure{ports.front().text};
    return std::function<void()>([this, wanted = std::move(wanted).value()]() mutable {
        tell(adopt(receiver_section(request_), receiver_section(wanted)));
        set_log_level(request_.log_level);
        look_up_server();
    });
}

void ReceiverControl::add_methods(rpc::Methods& methods) {
    const auto figures = [this]() -> const ReceiverSnapshot& {
        refresh();
        return snapshot();
    };
    const auto server = [this] { return request_.server_host + ":" + std::to_string(request_.server_port); };
    add_receiver_methods(methods, figures, server);
    add_config_methods(
        methods, [this] { return receiver_section(request_); }, request_.config_file);
}

std::string ReceiverControl::table() {
    const ReceiverSnapshot& s = snapshot();
    std::string text = figures_table(s, before_);
    before_ = ReceiverFiguresBefore{s.at, s.counters, s.pump};
    return text;
}

std::string ReceiverControl::state() const {
    return fmt::format("{} senders, {} uplinks", snapshot().groups().size(), snapshot().links().size());
}

std::string ReceiverControl::json() const { return figures_json(snapshot()); }

bool ReceiverControl::serve_metrics() {
    if (!request_.metrics) return true;
    loop_.every(look_interval, [this] {
        refresh();
        // A pump without groups has no reason to wake, and what it said last may be of the moment before the last one.
        if (os::now() - snapshot().at < look_interval)
            rates_.look(snapshot());
        else
            static_cast<void>(when_fresh([this] { rates_.look(snapshot()); }));
    });
    const auto page = [this](const char* path, const char* help, std::string_view type, auto make) {
        return MetricsPage{path, help, [this, type, make] {
                               refresh();
                               return control::HttpReply{std::string(type), make(snapshot(), rates_)};
                           }};
    };
    const auto stats = [](const ReceiverSnapshot& s, const GroupRates& rates) { return stream_stats(s, rates).dump(); };
    return take_metrics(request_.metrics,
                        {page("/metrics", "for Prometheus", exposition_type, receiver_metrics),
                         page("/stats", "streams as NOALBS reads them of BELABOX, and of SLS what is known here",
                              "application/json", stats)});
}

bool ReceiverControl::on_first_answer(const control::Resolution& first) {
    if (first.resolved.count == 0 && (first.is_final || request_.compat)) {
        if (request_.compat)
            log(Level::error, "Failed to resolve the address {}:{}", request_.server_host, request_.server_port);
        else
            log(Level::error, "Failed to resolve {}: {}", request_.server_host, first.error);
        return false;
    }
    if (!start_service() || !serve_metrics()) return false;
    on_resolved(first);
    // A reload may bring a name instead of an address.
    loop_.every(lookup_interval, [this] {
        if (!os::parse_address(request_.server_host)) look_up_server();
    });
    before_.at = os::now();
    print_stats_every(request_.stats_seconds);
    return true;
}

int ReceiverControl::run() {
    take_allowed();
    if (!take_control_socket(request_.control)) return 1;
    take_signals();
    if (!open_event_log(request_.events)) return 1;
    if (!keep_channels(request_.radio)) return 1;
    look_up_server();
    return run_loop();
}

int run_receiver(const ReceiverRequest& request, RereadReceiver reread) {
    return ReceiverControl(request, std::move(reread)).run();
}

}  // namespace hawser::app
