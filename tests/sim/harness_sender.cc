// SPDX-License-Identifier: MIT
#include "tests/sim/harness_sender.h"

#include <algorithm>

#include "engine/base/check.h"

namespace hawser::test {

wire::GroupKey group_key(std::uint64_t seed) {
    wire::GroupKey key;
    Random random(seed ^ 0x1D);
    for (std::uint8_t& b : key) b = static_cast<std::uint8_t>(random.next());
    return key;
}

LabOptions lab_with(select::Mode mode, std::size_t uplinks) {
    LabOptions options;
    options.mode = mode;
    options.uplinks = uplinks;
    return options;
}

void say(SenderLab& lab, std::size_t i, const UplinkSettings& settings) {
    Command c;
    c.kind = CommandKind::set_uplink;
    c.link = SenderLab::id(i);
    c.uplink.settings = settings;
    lab.command(c);
    lab.run(100_ms);
}

WatchedSender::WatchedSender(const bond::SenderOptions& options, Pool& pool, std::uint64_t seed)
    : sender(options, pool, group_key(seed), seed) {}

SenderLab::SenderLab(const LabOptions& options)
    : world(options.seed),
      near(world.add_host()),
      far(world.add_host()),
      uplinks_(options.uplinks),
      slab_(std::size_t{4096} * pool_slot_bytes),
      pool_(slab_, pool_slot_bytes),
      io_(std::make_unique<sim::SimIo>(world, near, pool_)) {
    for (std::size_t k = 0; k < 2; ++k) world.add_address(far, receiver_at(k));
    for (std::size_t i = 0; i < uplinks_; ++i) {
        world.add_address(near, uplink(i));
        for (std::size_t k = 0; k < 2; ++k) {
            world.add_path(uplink(i), receiver_at(k), options.shape);
            world.add_path(receiver_at(k), uplink(i), options.shape);
        }
    }
    sim::SrtServerOptions server_options = options.server;
    server_options.local = server_at();
    server = std::make_unique<sim::SrtServer>(world, far, server_options);
    if (options.receiver_listens) receiver = std::make_unique<ScriptedReceiver>(world, far, receiver_at(), server_at());
    sim::SrtCallerOptions caller_options = options.caller;
    caller_options.local = Endpoint::from_v4(0x7F000001, 40000);
    caller_options.target = listen_at();
    caller = std::make_unique<sim::SrtCaller>(world, near, caller_options);

    bond::SenderOptions sender_options = options.sender;
    sender_options.listen = listen_at();
    sender = std::make_unique<WatchedSender>(sender_options, pool_, options.seed);
    pump_ = std::make_unique<RealPump>(*io_, pool_, *sender, border_, options.coalesce);
    stepper_ = std::make_unique<sim::Stepper<RealPump>>(*io_, *pump_);
    world.add_program(sim::Program::of(*stepper_));
    world.add_program(sim::Program::of(*this));
    pump_->start();
    set_receiver({receiver_at()});
    Command c;
    c.kind = CommandKind::set_selection;
    c.selection.mode = options.mode;
    c.selection.latency = options.caller.latency;  // the model's handshake does not tell it
    command(c);
    for (std::size_t i = 0; i < uplinks_; ++i) add_uplink(i);
    if (options.connect_caller) caller->connect();
}

SenderLab::~SenderLab() {
    Command c;
    c.kind = CommandKind::stop;
    command(c);
    world.run_for(20_ms);
    HAWSER_CHECK(sender->sender.finished());
    HAWSER_CHECK(sender->sender.is_consistent());
    world.remove_program(stepper_.get());
    world.remove_program(this);
    stepper_.reset();
    pump_.reset();
    sender.reset();
    io_.reset();
    HAWSER_CHECK(pool_.free_slots() == pool_.slots());
}

void SenderLab::command(const Command& c) {
    HAWSER_CHECK(border_.commands.push(c));
    io_->wake();
}

void SenderLab::add_uplink(std::size_t i) {
    Command c;
    c.kind = CommandKind::add_uplink;
    c.link = id(i);
    c.uplink.source = uplink(i);
    command(c);
}

void SenderLab::remove_uplink(std::size_t i) {
    Command c;
    c.kind = CommandKind::remove_uplink;
    c.link = id(i);
    command(c);
}

void SenderLab::suspend_uplink(std::size_t i) {
    Command c;
    c.kind = CommandKind::suspend_uplink;
    c.link = id(i);
    command(c);
}

void SenderLab::renew_uplink(std::size_t i, const Endpoint& source) {
    Command c;
    c.kind = CommandKind::renew_uplink;
    c.link = id(i);
    c.uplink.source = source;
    command(c);
}

void SenderLab::set_receiver(const std::vector<Endpoint>& addresses) {
    Command c;
    c.kind = CommandKind::set_receiver;
    c.resolved.count = static_cast<std::uint32_t>(addresses.size());
    std::copy(addresses.begin(), addresses.end(), c.resolved.addresses.begin());
    command(c);
}

void SenderLab::set_dark(std::size_t i, bool dark) {
    for (std::size_t k = 0; k < 2; ++k) {
        world.path(uplink(i), receiver_at(k))->set_dark(dark);
        world.path(receiver_at(k), uplink(i))->set_dark(dark);
    }
}

bool SenderLab::settle() {
    return reach(
        [&] {
            if (receiver == nullptr || receiver->members() != uplinks_) return false;
            for (std::size_t i = 0; i < uplinks_; ++i)
                if (!connected(i)) return false;
            return caller->connected() || caller->due() == never;
        },
        5_s);
}

const SenderSnapshot& SenderLab::snapshot() {
    sender->sender.fill(snapshot_, world.now());
    return snapshot_;
}

std::size_t SenderLab::count(EventKind kind) const {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const Event& e) { return e.kind == kind; }));
}

const Event* SenderLab::last(EventKind kind) const {
    for (auto e = events.rbegin(); e != events.rend(); ++e)
        if (e->kind == kind) return &*e;
    return nullptr;
}

bool SenderLab::caller_is_unharmed() const {
    const sim::SrtCallerCounts& c = caller->counts();
    return c.srtla == 0 && c.data == 0 && c.foreign == 0 && c.fatal == 0 && c.malformed == 0 && c.copies == 0;
}

void SenderLab::run(Instant now) {
    audit_at_ = now + 50_ms;
    HAWSER_CHECK(sender->sender.is_consistent());
}

void SenderLab::drain() {
    Event e;
    while (border_.events.pop(e)) events.push_back(e);
}

}  // namespace hawser::test
