// SPDX-License-Identifier: MIT
#include "tests/sim/receiver_rig.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace hawser::test {

namespace {

constexpr std::uint32_t slots = 2048;

Entropy test_entropy() {
    Entropy e{};
    for (std::size_t i = 0; i < e.size(); ++i) e[i] = static_cast<std::uint8_t>(7 * i + 1);
    return e;
}

}  // namespace

ReceiverRig::ReceiverRig(const bond::ReceiverOptions& o)
    : slab_(std::size_t{slots} * pool_slot_bytes),
      pool(slab_, pool_slot_bytes),
      receiver(o, pool, test_entropy()),
      options(o),
      out_(pool) {
    receiver.start(now, out_);
    end_turn();
}

// Every reference has come home, except for handshakes that wait for a socket.
ReceiverRig::~ReceiverRig() {
    stop();
    HAWSER_CHECK(receiver.finished() || receiver.failed());
    HAWSER_CHECK(pool.free_slots() == pool.slots());
    HAWSER_CHECK(sockets_.empty() || receiver.failed());
}

PacketRef ReceiverRig::put(Bytes packet) {
    const BufferId buffer = pool.take();
    HAWSER_CHECK(buffer != no_buffer && packet.size() <= pool_slot_bytes);
    std::copy(packet.begin(), packet.end(), pool.data(buffer));
    return PacketRef{buffer, 0, static_cast<std::uint16_t>(packet.size())};
}

// The order of the real pump: sends after each call, then events, closes, opens, and what their answers ask for.
void ReceiverRig::carry_out() {
    const auto carry_sends = [&] {
        for (const bond::SendAction& s : out_.sends()) {
            const auto it = sockets_.find(s.socket.value);
            HAWSER_CHECK(it != sockets_.end());  // nothing is sent on a socket that was closed
            HAWSER_CHECK(it->second.spec.connected == (s.to == nullptr));
            const Bytes b = pool.bytes(s.packet);
            queued_.push_back({now, s.socket, it->second.spec.tag, s.to != nullptr ? *s.to : it->second.spec.remote,
                               Packet(b.begin(), b.end())});
        }
        out_.clear_sends();
    };
    carry_sends();
    while (out_.has_rare()) {
        events_.insert(events_.end(), out_.events().begin(), out_.events().end());
        out_.clear_events();
        for (const SocketId id : out_.closes()) {
            HAWSER_CHECK(sockets_.erase(id.value) == 1);
            queued_.erase(std::remove_if(queued_.begin(), queued_.end(), [&](const Sent& s) { return s.socket == id; }),
                          queued_.end());
        }
        out_.clear_closes();
        const std::vector<bond::OpenAction> opens(out_.opens().begin(), out_.opens().end());
        out_.clear_opens();
        for (const bond::OpenAction& open : opens) {
            const int error = open_fails ? open_fails(open.spec) : 0;
            if (error != 0) {
                receiver.on_opened(open.spec.tag, Failure{Errno{error, "connect"}}, open.spec.local, 0, now, out_);
            } else {
                const SocketId id{next_socket_++};
                Endpoint local = open.spec.local;
                if (local.port == 0) local.port = next_port_++;
                sockets_[id.value] = Socket{open.spec, local};
                receiver.on_opened(open.spec.tag, id, local, 1472, now, out_);
            }
            carry_sends();
        }
    }
    HAWSER_CHECK(!audits || receiver.is_consistent());
}

void ReceiverRig::end_turn() {
    carry_out();
    sent_.insert(sent_.end(), queued_.begin(), queued_.end());
    queued_.clear();
}

void ReceiverRig::set_server(std::vector<Endpoint> addresses) {
    Command c;
    c.kind = CommandKind::set_server;
    for (const Endpoint& e : addresses) c.resolved.addresses[c.resolved.count++] = e;
    receiver.on_command(c, now, out_);
    end_turn();
    pass(Duration{});
}

void ReceiverRig::from(const Endpoint& sender, Bytes packet) {
    Completion c;
    c.kind = Completion::Kind::received;
    c.socket = SocketId(0);
    c.tag = bond::Receiver::uplink_tag;
    c.packet = put(packet);
    c.from = sender;
    receiver.on_received(c, now, out_);
    carry_out();
    pool.release(c.packet.buffer);
    end_turn();
}

void ReceiverRig::from_tag(std::uint32_t tag, Bytes packet) {
    Completion c;
    c.kind = Completion::Kind::received;
    c.tag = tag;
    c.packet = put(packet);
    receiver.on_received(c, now, out_);
    carry_out();
    pool.release(c.packet.buffer);
    end_turn();
}

void ReceiverRig::from_server(SocketId id, Bytes packet) { from_tag(sockets_.at(id.value).spec.tag, packet); }

void ReceiverRig::broken(SocketId id, int error) {
    Completion c;
    c.kind = Completion::Kind::broken;
    c.socket = id;
    c.tag = sockets_.at(id.value).spec.tag;
    c.error = error;
    receiver.on_broken(c, now, out_);
    end_turn();
}

void ReceiverRig::send_failed(SocketId id, int error) {
    Completion c;
    c.kind = Completion::Kind::send_failed;
    c.socket = id;
    c.tag = sockets_.at(id.value).spec.tag;
    c.error = error;
    c.packet = put(Packet(20));
    receiver.on_send_failed(c, now, out_);
    carry_out();
    pool.release(c.packet.buffer);
    end_turn();
}

void ReceiverRig::stop() {
    if (receiver.finished()) return;
    Command c;
    c.kind = CommandKind::stop;
    receiver.on_command(c, now, out_);
    end_turn();
    for (int i = 0; i < 10000 && !receiver.finished(); ++i) pass(Duration{1'000'000});
}

void ReceiverRig::pass(Duration span) {
    const Instant end = now + span;
    for (int guard = 0; receiver.next_deadline() <= end; ++guard) {
        HAWSER_CHECK(guard < 1'000'000);  // a deadline that is not met by meeting it
        if (receiver.next_deadline() > now) now = receiver.next_deadline();
        receiver.on_deadline(now, out_);
        end_turn();
    }
    now = end;
}

std::vector<Sent> ReceiverRig::take() { return std::exchange(sent_, {}); }

std::vector<Sent> ReceiverRig::take_to(const Endpoint& to) {
    std::vector<Sent> all = take();
    all.erase(std::remove_if(all.begin(), all.end(), [&](const Sent& s) { return !(s.to == to); }), all.end());
    return all;
}

std::vector<Event> ReceiverRig::events(EventKind kind) const {
    std::vector<Event> found;
    for (const Event& e : events_)
        if (e.kind == kind) found.push_back(e);
    return found;
}

wire::GroupKey ReceiverRig::join(const std::vector<Endpoint>& links, std::uint8_t seed) {
    take();
    from(links.at(0), reg1(seed));
    const auto answers = take_to(links[0]);
    HAWSER_CHECK(answers.size() == 1 && answers[0].is(wire::SrtlaType::reg2));
    const wire::GroupKey key = key_in(answers[0]);
    for (const Endpoint& link : links) join_more(key, link);
    return key;
}

void ReceiverRig::join_more(const wire::GroupKey& key, const Endpoint& link) {
    take();
    from(link, reg2(key));
    const auto answers = take_to(link);
    HAWSER_CHECK(answers.size() == 1 && answers[0].is(wire::SrtlaType::reg3));
}

SocketId ReceiverRig::server_socket() const {
    SocketId newest = no_socket;
    for (const auto& [id, s] : sockets_)
        if (s.spec.connected) newest = SocketId(id);
    return newest;
}

void ReceiverRig::establish(const Endpoint& link, std::uint32_t caller, std::uint32_t server, std::uint32_t isn) {
    from(link, induction(caller));
    from_server(server_socket(), conclusion_answer(caller, caller, wire::handshake_induction));
    from(link, conclusion(caller, isn));
    from_server(server_socket(), conclusion_answer(caller, server));
    take();
}

void ReceiverRig::data(const Endpoint& link, std::uint32_t sequence, std::uint32_t destination) {
    from(link, data_packet(sequence, destination));
}

Packet reg1(std::uint8_t seed) {
    wire::GroupKey key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(seed + 31 * i);
    const auto bytes = wire::build_registration(wire::SrtlaType::reg1, key);
    return Packet(bytes.begin(), bytes.end());
}

Packet reg2(const wire::GroupKey& key) {
    const auto bytes = wire::build_registration(wire::SrtlaType::reg2, key);
    return Packet(bytes.begin(), bytes.end());
}

wire::GroupKey key_in(const Sent& answer) {
    HAWSER_CHECK(answer.bytes.size() == wire::registration_bytes);
    wire::GroupKey key{};
    std::copy(answer.bytes.begin() + 2, answer.bytes.end(), key.begin());
    return key;
}

Packet data_packet(std::uint32_t sequence, std::uint32_t destination, std::size_t bytes) {
    return sim::make_data(wire::Seq31(sequence), false, {1000, destination},
                          Packet(bytes - wire::srt_header_bytes, 0x47));
}

Packet induction(std::uint32_t caller) {
    sim::HandshakeFields f;
    f.version = 4;
    f.extension_field = 2;
    f.socket_id = caller;
    return sim::make_handshake(f, {});
}

Packet conclusion(std::uint32_t caller, std::uint32_t isn) {
    sim::HandshakeFields f;
    f.request_type = wire::handshake_conclusion;
    f.socket_id = caller;
    f.initial_sequence = wire::Seq31(isn);
    f.cookie = 0x1234;
    return sim::make_handshake(f, {});
}

Packet conclusion_answer(std::uint32_t caller, std::uint32_t server, std::int32_t request) {
    sim::HandshakeFields f;
    f.request_type = request;
    f.socket_id = server;
    f.cookie = 0x1234;
    return sim::make_handshake(f, {0, caller});
}

Packet control(wire::SrtControl type, std::uint32_t destination, std::size_t body_bytes) {
    return sim::make_control(type, 0, {2000, destination}, body_bytes);
}

}  // namespace hawser::test
