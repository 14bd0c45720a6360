// SPDX-License-Identifier: MIT
#include "platform/app/demo/bond_ends.h"

#include <netinet/in.h>
#include <poll.h>

#include <array>

#include "platform/app/event_text.h"
#include "platform/app/receiver_control.h"
#include "platform/app/sender_control.h"
#include "platform/app/sender_figures.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::demo {
namespace {

using namespace literals;

constexpr Duration listen_patience = 5'000_ms;  // a socket opens at once or not at all; this is for a busy machine
constexpr Duration rate_interval_min = 500_ms;

Endpoint loopback(std::uint16_t port) { return Endpoint::from_v4(INADDR_LOOPBACK, port); }

app::PumpSettings pump_settings(IoChoice io, const char* thread_name) {
    app::PumpSettings settings;
    switch (io) {
        case IoChoice::automatic: settings.io = app::IoKind::automatic; break;
        case IoChoice::uring: settings.io = app::IoKind::uring; break;
        case IoChoice::epoll: settings.io = app::IoKind::epoll; break;
    }
    settings.thread_name = thread_name;
    return settings;
}

Command addressed(CommandKind kind, std::uint16_t port) {
    Command command;
    command.kind = kind;
    command.resolved.addresses[0] = loopback(port);
    command.resolved.count = 1;
    return command;
}

template <class Service>
void tell(Service& service, const Command& command) {
    while (!service.finished() && !service.command(command)) std::this_thread::yield();
}

// The port on which the service says that it listens; what went wrong if it says that instead.
template <class Service>
Outcome<std::uint16_t> await_port(Service& service, EventKind listening, const char* who) {
    const Instant deadline = os::now() + listen_patience;
    std::string last = "it says nothing";
    while (os::now() < deadline) {
        Event event;
        while (service.next_event(event)) {
            if (event.kind == listening) return event.endpoint.port;
            last = app::describe(event, {}).text;
        }
        if (service.finished()) break;
        pollfd told{service.fd(), POLLIN, 0};
        if (poll(&told, 1, 100) > 0) {
            std::uint64_t count = 0;
            [[maybe_unused]] const auto got = ::read(service.fd(), &count, sizeof count);
        }
    }
    return Failure{Problem{std::string("the ") + who + " does not listen: " + last}};
}

}  // namespace

struct BondEnds::State {
    std::unique_ptr<app::ReceiverService> receiver;
    std::unique_ptr<app::SenderService> sender;
    std::uint16_t receiver_port = 0;
    std::uint16_t caller_port = 0;
    std::size_t link_count = 0;
    // For the rates.
    Instant rates_at;
    std::array<std::uint64_t, links_max> bytes_before{};
    std::array<std::uint64_t, links_max> rate_bps{};
};

BondEnds::BondEnds(std::unique_ptr<State> state) : state_(std::move(state)) {}
BondEnds::~BondEnds() {
    state_->sender.reset();
    state_->receiver.reset();
}

Outcome<std::unique_ptr<BondEnds>> BondEnds::start_receiver(IoChoice io, std::uint16_t server_port) {
    bond::ReceiverOptions options;
    options.listen = loopback(0);
    auto service = app::start_receiver(options, pump_settings(io, "demo-receiver"));
    if (!service) return Failure{Problem{service.error()}};
    auto state = std::make_unique<State>();
    state->receiver = std::move(service).value();
    tell(*state->receiver, addressed(CommandKind::set_server, server_port));
    const auto port = await_port(*state->receiver, EventKind::receiver_listening, "receiver");
    if (!port) return Failure{port.error()};
    state->receiver_port = port.value();
    return std::unique_ptr<BondEnds>(new BondEnds(std::move(state)));
}

Outcome<Unit> BondEnds::start_sender(const Options& options, std::uint16_t receiver_port,
                                     const std::vector<std::uint32_t>& sources) {
    bond::SenderOptions bond;
    bond.listen = loopback(0);
    auto service = app::start_sender(bond, pump_settings(options.io, "demo-sender"));
    if (!service) return Failure{Problem{service.error()}};
    state_->sender = std::move(service).value();
    app::SenderService& sender = *state_->sender;
    Command selection;
    selection.kind = CommandKind::set_selection;
    selection.selection.mode = options.select;
    tell(sender, selection);
    tell(sender, addressed(CommandKind::set_receiver, receiver_port));
    for (const std::uint32_t source : sources) {
        Command uplink;
        uplink.kind = CommandKind::add_uplink;
        uplink.link = LinkId(static_cast<std::uint8_t>(state_->link_count++));
        uplink.uplink.source = Endpoint::from_v4(source, 0);
        tell(sender, uplink);
    }
    const auto port = await_port(sender, EventKind::listening, "sender");
    if (!port) return Failure{port.error()};
    state_->caller_port = port.value();
    return Unit{};
}

std::uint16_t BondEnds::receiver_port() const { return state_->receiver_port; }
std::uint16_t BondEnds::caller_port() const { return state_->caller_port; }
std::string BondEnds::io_name() const {
    return state_->sender->io_choice().kind == app::IoKind::uring ? "io_uring" : "epoll";
}

std::vector<LinkRow> BondEnds::links() {
    app::SenderService& sender = *state_->sender;
    // Events are for logs, which a live table has no room for; they are taken so that their ring does not fill.
    for (Event event; sender.next_event(event);) {
    }
    for (Event event; state_->receiver->next_event(event);) {
    }
    static_cast<void>(sender.read_snapshot());  // an old one is shown again
    const SenderSnapshot& snapshot = sender.snapshot();
    const Duration since = snapshot.at - state_->rates_at;
    std::vector<LinkRow> rows;
    for (std::size_t i = 0; i < state_->link_count; ++i) {
        const UplinkSnapshot& uplink = snapshot.uplinks[i];
        if (since >= rate_interval_min) {
            const std::uint64_t bytes = uplink.bytes_out - state_->bytes_before[i];
            state_->rate_bps[i] = bytes * 8 * 1000 / static_cast<std::uint64_t>(since.ms());
            state_->bytes_before[i] = uplink.bytes_out;
        }
        LinkRow row;
        row.source = os::address_text(uplink.local);
        row.state = std::string(app::state_text(uplink.state)) + (uplink.gated ? ", gated" : "");
        row.rate_bps = state_->rate_bps[i];
        if (uplink.rtt.ns > 0) row.rtt_ms = static_cast<double>(uplink.rtt.us()) / 1000;
        row.in_flight = static_cast<std::uint32_t>(uplink.in_flight);
        row.window = static_cast<std::uint32_t>(uplink.window / 1000);
        row.naks = uplink.naks;
        rows.push_back(row);
    }
    if (since >= rate_interval_min) state_->rates_at = snapshot.at;
    return rows;
}

}  // namespace hawser::demo
