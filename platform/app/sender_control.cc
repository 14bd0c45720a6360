// SPDX-License-Identifier: MIT
#include "platform/app/sender_control.h"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "platform/app/random.h"
#include "platform/app/sender_figures.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/socket.h"

namespace hawser::app {

Result<std::unique_ptr<SenderService>, std::string> start_sender(const bond::SenderOptions& options,
                                                                 const PumpSettings& settings) {
    wire::GroupKey key;
    fill_random(key);
    const auto seed = random_value<std::uint64_t>();
    return SenderService::start(
        settings, [&](Pool& pool) { return std::make_unique<bond::Sender>(options, pool, key, seed); },
        [](SenderSnapshot&) {});
}

SenderControl::SenderControl(const SenderRequest& request)
    : request_(request),
      events_(EventNames{
          request.receiver_host + ":" + std::to_string(request.receiver_port),
          [](const void* self, LinkId link) { return static_cast<const SenderControl*>(self)->uplink_name(link); },
          this}) {}

std::string SenderControl::uplink_name(LinkId link) const {
    return link.index() < links_max ? names_[link.index()] : std::string("?");
}

Result<control::UplinkList, std::string> SenderControl::read_list() const {
    control::UplinkList list;
    if (!request_.uplinks_file.empty()) {
        auto read = control::read_uplinks(request_.uplinks_file);
        if (!read) return read;
        list = std::move(read).value();
    }
    for (const std::string& entry : request_.uplinks) {
        std::string complaint;
        const auto spec = control::parse_uplink(entry, complaint);
        if (!spec) return Failure{"--uplink: " + complaint};
        bool known = false;
        for (const UplinkSpec& u : list.uplinks) known = known || control::same_uplink(u, *spec);
        if (known) continue;
        if (list.uplinks.size() == links_max)
            return Failure{"--uplink: more than " + std::to_string(links_max) + " uplinks"};
        list.uplinks.push_back(*spec);
    }
    if (list.uplinks.empty()) {
        const std::string first = list.complaints.empty() ? "" : " (" + list.complaints.front() + ")";
        return Failure{request_.uplinks_file.empty()
                           ? std::string("no uplinks given: a file, or --uplink ADDRESS")
                           : "Failed to parse any IP addresses in " + request_.uplinks_file + first};
    }
    return list;
}

void SenderControl::send(const Command& command) {
    while (!service_->finished() && !service_->command(command)) std::this_thread::yield();
}

bool SenderControl::start_service() {
    const auto address = os::parse_address(request_.listen_address);
    HAWSER_CHECK(address);
    request_.bond.listen = *address;
    request_.bond.listen.port = request_.listen_port;
    auto service = start_sender(request_.bond, request_.pump);
    if (!service) {
        log(Level::error, "{}", service.error());
        return false;
    }
    service_ = std::move(service).value();
    log(Level::info, "{}", service_->io_choice().reason);
    const std::uint32_t granted = os::receive_buffer_granted(request_.bond.listen_buffer_bytes);
    if (granted < request_.bond.listen_buffer_bytes)
        log(Level::warn,
            "the system grants receive buffers of {} KiB, not {}: bursts may be lost (sysctl net.core.rmem_max={})",
            granted / 1024, request_.bond.listen_buffer_bytes / 1024, request_.bond.listen_buffer_bytes);
    return true;
}

bool SenderControl::resolve_first() {
    const control::Resolution r = control::resolve(request_.receiver_host, request_.receiver_port);
    if (r.resolved.count == 0) {
        log(Level::error, "Failed to resolve {}: {}", request_.receiver_host, r.error);
        // A name that does not exist is the operator's to mend; a network that is not up yet comes up by itself.
        if (r.is_final || request_.compat) return false;
        log(Level::info, "looking it up again until it answers");
        return true;
    }
    if (r.left_out > 0) log(Level::warn, "{} has {} more addresses than are used", request_.receiver_host, r.left_out);
    set_receiver(r.resolved);
    if (r.resolved.count > 0)
        log(Level::info, "Trying to connect to {}...", os::endpoint_text(r.resolved.addresses[0]));
    return true;
}

void SenderControl::set_receiver(const Resolved& resolved) {
    receiver_ = resolved;
    Command c;
    c.kind = CommandKind::set_receiver;
    c.resolved = resolved;
    send(c);
    name_unreachable();
}

// An uplink of a family that the receiver has no address of waits for one: said once, until there is one.
void SenderControl::name_unreachable() {
    if (receiver_.count == 0) return;
    const auto end = receiver_.addresses.begin() + receiver_.count;
    for (std::size_t i = 0; i < links_max; ++i) {
        if (!uplinks_[i]) continue;
        const bool is_v4 = uplinks_[i]->source.is_v4();
        const bool takes_both = uplinks_[i]->source.is_any() && !is_v4;
        const bool is_reachable = takes_both || std::any_of(receiver_.addresses.begin(), end,
                                                            [&](const Endpoint& e) { return e.is_v4() == is_v4; });
        if (!is_reachable && !is_named_[i])
            log(Level::warn, "uplink {}: {} has no {} address, so it waits", names_[i], request_.receiver_host,
                is_v4 ? "IPv4" : "IPv6");
        is_named_[i] = !is_reachable;
    }
}

void SenderControl::apply(const control::UplinkList& list) {
    for (const std::string& complaint : list.complaints) log(Level::warn, "{}: {}", request_.uplinks_file, complaint);
    for (std::size_t i = 0; i < links_max; ++i) {
        if (!uplinks_[i]) continue;
        bool kept = false;
        for (const UplinkSpec& u : list.uplinks) kept = kept || control::same_uplink(u, *uplinks_[i]);
        if (kept) continue;
        Command c;
        c.kind = CommandKind::remove_uplink;
        c.link = LinkId(static_cast<std::uint8_t>(i));
        uplinks_[i].reset();
        log(Level::info, "Removed connection via {}", names_[i]);
        send(c);
    }
    for (const UplinkSpec& wanted : list.uplinks) {
        std::size_t place = links_max;
        bool known = false;
        for (std::size_t i = links_max; i-- > 0;) {
            if (!uplinks_[i])
                place = i;
            else
                known = known || control::same_uplink(wanted, *uplinks_[i]);
        }
        if (known || place == links_max) continue;
        uplinks_[place] = wanted;
        is_named_[place] = false;
        names_[place] = control::uplink_text(wanted);
        Command c;
        c.kind = CommandKind::add_uplink;
        c.link = LinkId(static_cast<std::uint8_t>(place));
        c.uplink = wanted;
        log(Level::info, "Added connection via {}", names_[place]);
        send(c);
    }
    name_unreachable();
}

void SenderControl::reload() {
    const auto list = read_list();
    if (!list) {
        log(Level::error, "reload refused, the uplinks stay as they are: {}", list.error());
        return;
    }
    apply(*list);
    resolver_->ask(request_.receiver_host, request_.receiver_port);
}

void SenderControl::on_resolved() {
    const auto r = resolver_->take();
    if (!r) return;
    if (r->resolved.count == 0) {
        log(Level::warn, "Failed to resolve {}: {}", r->host, r->error);
        return;
    }
    set_receiver(r->resolved);
}

void SenderControl::on_event(const Event& event) {
    events_.tell(event);
    if (event.kind == EventKind::resolve_wanted) resolver_->ask(request_.receiver_host, request_.receiver_port);
}

void SenderControl::on_service() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(service_->fd(), &count, sizeof count);
    const bool ended = service_->finished();  // before the events: none comes after it
    Event event;
    while (service_->next_event(event)) on_event(event);
    if (json_wanted_ && service_->read_snapshot()) {
        json_wanted_ = false;
        dump_json();
    }
    if (ended) {
        events_.flush();
        loop_.quit(service_->failed() ? 1 : 0);
    }
}

void SenderControl::on_signal(int signal) {
    switch (signal) {
        case SIGHUP: reload(); break;
        case SIGUSR1: {
            // The pump publishes at its next turn; what it has to say by then is at most a moment old.
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

void SenderControl::print_stats() {
    static_cast<void>(service_->read_snapshot());
    const SenderSnapshot& s = service_->snapshot();
    std::fputs(figures_table(s, previous_, names_).c_str(), stdout);
    std::fflush(stdout);
    previous_ = s;
}

void SenderControl::dump_json() {
    std::fputs((figures_json(service_->snapshot(), names_) + "\n").c_str(), stdout);
    std::fflush(stdout);
}

int SenderControl::run() {
    const auto list = read_list();
    if (!list) {
        log(Level::error, "{}", list.error());
        return 1;
    }
    // Before any thread starts, so that all of them inherit the mask.
    loop_.on_signals({SIGINT, SIGTERM, SIGHUP, SIGUSR1}, [this](int signal) { on_signal(signal); });
    if (!start_service()) return 1;
    Command selection;
    selection.kind = CommandKind::set_selection;
    selection.selection = request_.selection;
    send(selection);
    resolver_.emplace();
    if (!resolve_first()) return 1;
    apply(*list);
    loop_.watch(service_->fd(), [this] { on_service(); });
    loop_.watch(resolver_->fd(), [this] { on_resolved(); });
    previous_.at = os::now();
    if (request_.stats_seconds > 0)
        loop_.every(Duration{static_cast<std::int64_t>(request_.stats_seconds * 1e9)}, [this] { print_stats(); });
    const int code = loop_.run();
    if (request_.stats_seconds > 0) print_stats();
    return code;
}

int run_sender(const SenderRequest& request) { return SenderControl(request).run(); }

}  // namespace hawser::app
