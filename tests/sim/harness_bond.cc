// SPDX-License-Identifier: MIT
#include "tests/sim/harness_bond.h"

#include <algorithm>
#include <cerrno>

namespace hawser::test {
namespace {

// fd00::<host>:<number>
Endpoint v6_address(std::uint8_t host, std::uint8_t number, std::uint16_t port) {
    Endpoint e;
    e.address[0] = 0xFD;
    e.address[13] = host;
    e.address[15] = number;
    e.port = port;
    return e;
}

const Endpoint listen_at = Endpoint::from_v4(0x7F000001, 5600);
const Endpoint server_at = Endpoint::from_v4(0x7F000001, 4001);

}  // namespace

Endpoint BondLab::uplink(std::size_t i) const {
    if (is_v6(i)) return v6_address(static_cast<std::uint8_t>(i + 1), 1, 0);
    return Endpoint::from_v4(0x0A000001 + static_cast<std::uint32_t>(i + 1) * 0x100, 0);
}

Endpoint BondLab::receiver_at(std::size_t i) const {
    return is_v6(i) ? v6_address(99, 1, 5000) : Endpoint::from_v4(0x0A090001, 5000);
}

BondLab::BondLab(const BondOptions& options)
    : world(options.seed),
      near(world.add_host()),
      far(world.add_host()),
      receiver(world, far, options.coalesce),
      sender(world, near, options.coalesce),
      options_(options),
      uplinks_(options.up.size()),
      random_(options.seed) {
    world.add_address(far, receiver_at());
    if (options.mixed) world.add_address(far, receiver_at(1));
    for (std::size_t i = 0; i < uplinks_; ++i) {
        world.add_address(near, uplink(i));
        sim::LinkShape down = options.up[i];
        down.bits_per_second = 0;
        if (i < options.down.size()) down = options.down[i];
        world.add_path(uplink(i), receiver_at(i), options.up[i]);
        world.add_path(receiver_at(i), uplink(i), down);
    }
    sim::SrtServerOptions server_options = options.server;
    server_options.local = server_at;
    server = std::make_unique<sim::SrtServer>(world, far, server_options);
    sim::SrtCallerOptions caller_options = options.caller;
    caller_options.local = Endpoint::from_v4(0x7F000001, 40000);
    caller_options.target = listen_at;
    caller = std::make_unique<sim::SrtCaller>(world, near, caller_options);

    receiver.begin(new_receiver());
    order_receiver();
    sender.begin(new_sender());
    order_sender();
    caller->connect();
    world.add_program(sim::Program::of(*this));
}

BondLab::~BondLab() { world.remove_program(this); }

void BondLab::run(Instant now) {
    audit_at_ = now + 50_ms;
    HAWSER_CHECK(receiver.is_consistent());
    HAWSER_CHECK(sender.is_consistent());
}

std::unique_ptr<bond::Receiver> BondLab::new_receiver() {
    bond::ReceiverOptions options;
    options.listen = Endpoint{};
    options.listen.port = receiver_at().port;
    options.groups_max = 8;
    for (ReceiverSnapshot& s : receiver.border.snapshots.slots_before_start())
        s.reserve(options.groups_max, options.groups_max * options.links_per_group_max);
    Entropy entropy;
    for (std::uint8_t& b : entropy) b = static_cast<std::uint8_t>(random_.next());
    return std::make_unique<bond::Receiver>(options, receiver.pool(), entropy);
}

void BondLab::order_receiver() {
    Command c;
    c.kind = CommandKind::set_server;
    c.resolved.count = 1;
    c.resolved.addresses[0] = server_at;
    receiver.command(c);
}

std::unique_ptr<bond::Sender> BondLab::new_sender(const bond::EarlierRun& earlier) {
    bond::SenderOptions options;
    options.earlier = earlier;
    options.listen = listen_at;
    options.kept_packets = 1024;
    wire::GroupKey probe;
    for (std::uint8_t& b : probe) b = static_cast<std::uint8_t>(random_.next());
    return std::make_unique<bond::Sender>(options, sender.pool(), probe, options_.seed);
}

void BondLab::order_sender() {
    if (options_.mixed)
        set_receiver({receiver_at(0), receiver_at(1)});
    else
        set_receiver({receiver_at()});
    Command c;
    c.kind = CommandKind::set_selection;
    c.selection.mode = options_.mode;
    c.selection.latency = options_.caller.latency;  // the model's handshake does not tell it
    sender.command(c);
    for (std::size_t i = 0; i < uplinks_; ++i) add_uplink(i);
}

void BondLab::set_receiver(const std::vector<Endpoint>& addresses) {
    Command c;
    c.kind = CommandKind::set_receiver;
    for (const Endpoint& e : addresses) c.resolved.addresses[c.resolved.count++] = e;
    sender.command(c);
}

void BondLab::add_uplink(std::size_t i) {
    Command c;
    c.kind = CommandKind::add_uplink;
    c.link = LinkId(static_cast<std::uint8_t>(i));
    c.uplink.source = uplink(i);
    sender.command(c);
}

void BondLab::remove_uplink(std::size_t i) {
    Command c;
    c.kind = CommandKind::remove_uplink;
    c.link = LinkId(static_cast<std::uint8_t>(i));
    sender.command(c);
}

void BondLab::forge(const Endpoint& from, const Endpoint& to, Bytes bytes) {
    sim::Path* path = world.path(from, to);
    HAWSER_CHECK(path != nullptr);
    path->push(sim::Datagram{from, to, {bytes.begin(), bytes.end()}, 0}, world.now());
}

void BondLab::forge_refusal(const Endpoint& from, const Endpoint& to) {
    sim::Path* path = world.path(from, to);
    HAWSER_CHECK(path != nullptr);
    path->push(sim::Datagram{from, to, {}, ECONNREFUSED}, world.now());
}

void BondLab::restart_receiver() {
    receiver.restart(new_receiver());
    order_receiver();
}

void BondLab::restart_sender(const bond::EarlierRun& earlier) {
    sender.restart(new_sender(earlier));
    order_sender();
}

void BondLab::set_dark(std::size_t i, bool dark) {
    world.path(uplink(i), receiver_at(i))->set_dark(dark);
    world.path(receiver_at(i), uplink(i))->set_dark(dark);
}

std::uint64_t BondLab::on_time_per_mille() const {
    if (server->sessions().empty() || caller->counts().sent == 0) return 0;
    return server->session().on_time * 1000 / caller->counts().sent;
}

std::string BondLab::blemishes() const {
    std::string said;
    const auto say = [&said](const char* what, std::uint64_t n) {
        if (n != 0) said += std::to_string(n) + ' ' + what + "; ";
    };
    const sim::SrtCallerCounts& c = caller->counts();
    say("SRTLA packets at the caller", c.srtla);
    say("data packets at the caller", c.data);
    say("packets for another socket at the caller", c.foreign);
    say("answers to what was never sent", c.fatal);
    say("malformed packets at the caller", c.malformed);
    // The filter of copies forgets by hash: one in twenty may slip through, which SRT takes without harm.
    if (c.copies * 20 > c.acks + c.naks) say("copies of ACKs or NAKs", c.copies);
    say("SRTLA packets at the server", server->srtla());
    for (const sim::SrtSession& s : server->sessions()) say("invented packets", s.invented);
    return said;
}

}  // namespace hawser::test
