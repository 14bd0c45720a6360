// SPDX-License-Identifier: MIT
#include "platform/app/receiver_control.h"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "platform/app/random.h"
#include "platform/linux/clock.h"
#include "platform/linux/limits.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/socket.h"

namespace hawser::app {

namespace {
// The server's name is looked up again this often, so that a moved server is found; a quarter of a usual DNS lifetime.
constexpr Duration lookup_interval{60'000'000'000};
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

ReceiverControl::ReceiverControl(const ReceiverRequest& request)
    : request_(request), events_(EventNames{}), files_(request.client_files) {}

void ReceiverControl::send(const Command& command) {
    while (!service_->finished() && !service_->command(command)) std::this_thread::yield();
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
    auto service = start_receiver(request_.bond, request_.pump);
    if (!service) {
        log(Level::error, "{}", service.error());
        return false;
    }
    service_ = std::move(service).value();
    log(Level::info, "{}", service_->io_choice().reason);
    const std::uint32_t granted = os::receive_buffer_granted(request_.bond.receive_buffer_bytes);
    if (granted < request_.bond.receive_buffer_bytes)
        log(Level::warn,
            "the system grants receive buffers of {} KiB, not {}: bursts may be lost (sysctl net.core.rmem_max={})",
            granted / 1024, request_.bond.receive_buffer_bytes / 1024, request_.bond.receive_buffer_bytes);
    return true;
}

void ReceiverControl::on_resolved(const control::Resolution& r) {
    if (r.resolved.count == 0) {
        log(Level::warn, "Failed to resolve {}: {}", r.host, r.error);
        return;
    }
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

void ReceiverControl::on_service() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(service_->fd(), &count, sizeof count);
    const bool ended = service_->finished();  // before the events: none comes after it
    Event event;
    while (service_->next_event(event)) {
        events_.tell(event);
        files_.on_event(event);
        if (event.kind == EventKind::receiver_listening && request_.compat)
            log(Level::info, "srtla_rec is now running");
    }
    if (json_wanted_ && service_->read_snapshot()) {
        json_wanted_ = false;
        std::fputs((figures_json(service_->snapshot()) + "\n").c_str(), stdout);
        std::fflush(stdout);
    }
    if (ended) {
        events_.flush();
        loop_.quit(service_->failed() ? 1 : 0);
    }
}

void ReceiverControl::on_signal(int signal) {
    switch (signal) {
        case SIGHUP: on_refresh(); break;
        case SIGUSR1: {
            Command c;
            c.kind = CommandKind::publish;
            send(c);
            json_wanted_ = true;
            break;
        }
        default:
            if (stopping_) loop_.quit(1);
            stopping_ = true;
            service_->stop();
            break;
    }
}

void ReceiverControl::on_refresh() { resolver_->ask(request_.server_host, request_.server_port); }

void ReceiverControl::print_stats() {
    static_cast<void>(service_->read_snapshot());
    const ReceiverSnapshot& s = service_->snapshot();
    std::fputs(figures_table(s, before_).c_str(), stdout);
    std::fflush(stdout);
    before_ = ReceiverFiguresBefore{s.at, s.counters, s.pump};
}

int ReceiverControl::run() {
    // Before any thread starts, so that all of them inherit the mask.
    loop_.on_signals({SIGINT, SIGTERM, SIGHUP, SIGUSR1}, [this](int signal) { on_signal(signal); });
    const control::Resolution first = control::resolve(request_.server_host, request_.server_port);
    if (first.resolved.count == 0 && (first.is_final || request_.compat)) {
        if (request_.compat)
            log(Level::error, "Failed to resolve the address {}:{}", request_.server_host, request_.server_port);
        else
            log(Level::error, "Failed to resolve {}: {}", request_.server_host, first.error);
        return 1;
    }
    if (!start_service()) return 1;
    resolver_.emplace();
    on_resolved(first);
    loop_.watch(service_->fd(), [this] { on_service(); });
    loop_.watch(resolver_->fd(), [this] {
        if (const auto r = resolver_->take()) on_resolved(*r);
    });
    if (!os::parse_address(request_.server_host)) loop_.every(lookup_interval, [this] { on_refresh(); });
    before_.at = os::now();
    if (request_.stats_seconds > 0)
        loop_.every(Duration{static_cast<std::int64_t>(request_.stats_seconds * 1e9)}, [this] { print_stats(); });
    const int code = loop_.run();
    if (request_.stats_seconds > 0) print_stats();
    return code;
}

int run_receiver(const ReceiverRequest& request) { return ReceiverControl(request).run(); }

}  // namespace hawser::app
