// SPDX-License-Identifier: MIT
// Sequences of operations on a receiver: datagrams from several senders and from the server, well-formed, damaged and
// arbitrary; time; socket errors; commands. After each, the receiver's own audit, and laws that need no model:
//  - a stranger's datagram brings nothing but one answer, no longer than itself;
//  - nothing of SRTLA's own goes to the server;
//  - every buffer comes home.
#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "engine/base/check.h"
#include "engine/bond/receiver.h"
#include "engine/sim/srt_packets.h"
#include "engine/wire/extension.h"
#include "tests/fuzz/input.h"

using namespace hawser;

namespace {

constexpr std::uint32_t slots = 256;
constexpr std::size_t sockets_max = 4096;
constexpr std::size_t keys_max = 8;

class Session {
public:
    explicit Session(fuzz::Input& input)
        : in_(input), slab_(std::size_t{slots} * pool_slot_bytes), pool_(slab_, pool_slot_bytes), out_(pool_) {
        bond::ReceiverOptions o;
        o.groups_max = 1 + input.u8() % 8;
        o.links_per_group_max = 1 + input.u8() % 4;
        o.session_quiet = Duration{std::int64_t{input.u8()} * 1'000'000};
        receiver_ = std::make_unique<bond::Receiver>(o, pool_, Entropy{});
        receiver_->start(now_, out_);
        carry_out();
    }

    void run() {
        while (!in_.empty() && !receiver_->finished()) {
            step();
            HAWSER_CHECK(receiver_->is_consistent());
        }
        Command stop;
        stop.kind = CommandKind::stop;
        if (!receiver_->finished()) receiver_->on_command(stop, now_, out_);
        carry_out();
        for (int i = 0; i < 1000 && !receiver_->finished(); ++i) pass(Duration{1'000'000});
        HAWSER_CHECK(receiver_->finished() && pool_.free_slots() == pool_.slots());
        for (const SocketSpec& s : sockets_) HAWSER_CHECK(receiver_->failed() || s.tag == closed);
    }

private:
    static constexpr std::uint32_t closed = 0xFFFF'FFFF;

    void step() {
        switch (in_.u8() % 16) {
            case 0: pass(Duration{std::int64_t{in_.u8()} * 1'000'000}); break;
            case 1: pass(Duration{std::int64_t{in_.u8()} * 200'000'000}); break;
            case 2: registration(wire::SrtlaType::reg1); break;
            case 3: registration(wire::SrtlaType::reg2); break;
            case 4: from_sender(in_.bytes(in_.u8())); break;
            case 5: {
                std::vector<std::uint8_t> long_one(1400 + in_.u8(), 0x90);
                long_one[0] = in_.u8();
                long_one[1] = 0;
                from_sender(long_one);
                break;
            }
            case 6:
            case 7: data(); break;
            case 8: from_sender(handshake(0)); break;
            case 9: from_sender(control()); break;
            case 10: from_server(handshake(in_.u8() % 4)); break;
            case 11: from_server(control()); break;
            case 12: from_server(in_.bytes(in_.u8())); break;
            case 13: error(); break;
            case 14: set_server(); break;
            case 15: fail_opens_ = in_.u8() % 3 == 0; break;
        }
    }

    [[nodiscard]] Endpoint sender() {
        const std::uint8_t n = in_.u8();
        sender_ = Endpoint::from_v4(0x0A000000u + (n % 4u << 8), static_cast<std::uint16_t>(1 + n / 4 % 8));
        return sender_;
    }
    void registration(wire::SrtlaType type) {
        wire::GroupKey key{};
        const std::uint8_t who = in_.u8();
        key[0] = who % 4;
        if (who >= 128) {
            wire::Extension offer;
            offer.delivery_reports = (who & 4) != 0;
            offer.reorder_hold = (who & 8) != 0;
            offer.report_interval_us = who * 200u;
            wire::write_offer(wire::extension_half(MutableBytes(key)), offer);
            if (who >= 240) key[wire::group_id_sender_bytes + 8u + in_.u8() % 14u] = in_.u8();
        }
        if (type == wire::SrtlaType::reg2 && key_count_ != 0) key = keys_[in_.u8() % key_count_];
        const auto packet = wire::build_registration(type, key);
        from_sender(packet);
    }
    void data() {
        const std::uint8_t how = in_.u8();
        if (how % 8 == 0) sequence_ = in_.u32();
        if (how % 16 == 1) sequence_ += 70000;
        // Steps back and leaps, as of several links.
        const auto sequence = wire::Seq31(sequence_).plus(how % 4 == 2 ? in_.u8() - 64 : 0);
        ++sequence_;
        auto p = sim::make_data(sequence, how % 3 == 0, {stamp(), how / 16u % 3u}, std::array<std::uint8_t, 8>{});
        if (how == 255) store_be32(p.data() + 4, 0);  // parity
        from_sender(p);
    }
    // Mostly the time, so that the session's clock is met; sometimes anything.
    [[nodiscard]] std::uint32_t stamp() {
        const std::uint8_t how = in_.u8();
        if (how == 255) return in_.u32();
        return static_cast<std::uint32_t>(now_.ns / 1000) - how * 1000u;
    }
    [[nodiscard]] sim::Packet handshake(std::uint32_t destination) {
        static constexpr std::array<std::int32_t, 6> requests{1, -1, -2, 0, 1009, 2409};
        sim::HandshakeFields f;
        f.request_type = requests[in_.u8() % requests.size()];
        f.socket_id = in_.u8() % 4u;
        f.initial_sequence = wire::Seq31(sequence_);
        auto p = sim::make_handshake(f, {stamp(), destination});
        const std::uint8_t extras = in_.u8();
        if (extras >= 64) {
            // A latency, as HSREQ or HSRSP has it.
            store_be32(p.data() + 16, 5);
            store_be16(p.data() + 22, 1);
            p.resize(p.size() + 16);
            std::uint8_t* block = p.data() + p.size() - 16;
            store_be16(block, 1 + extras % 2);
            store_be16(block + 2, 3);
            store_be32(block + 8, extras % 5 == 0 ? 0 : 2);
            store_be16(block + 12, static_cast<std::uint16_t>(extras * 20));
        }
        if (extras % 16 == 0) p.resize(p.size() - 1u - in_.u8() % 60u);
        return p;
    }
    [[nodiscard]] sim::Packet control() {
        const std::uint8_t kind = in_.u8();
        const auto type = static_cast<wire::SrtControl>(0x8000u + kind % 10u + (kind >= 240 ? 0x2000u : 0u));
        auto p = sim::make_control(type, 0, {0, in_.u8() % 4u}, in_.u8() % 32u);
        // ACKs and NAKs name sequences near the newest.
        for (std::size_t at = wire::srt_header_bytes; at + 4 <= p.size(); at += 4)
            store_be32(p.data() + at, (sequence_ - in_.u8()) & wire::Seq31::mask);
        return p;
    }
    void error() {
        if (sockets_.empty()) return;
        Completion c;
        const std::size_t i = in_.u8() % sockets_.size();
        c.socket = SocketId(static_cast<std::uint16_t>(i));
        c.tag = sockets_[i].tag == closed ? in_.u32() : sockets_[i].tag;
        static constexpr std::array<int, 5> errors{ECONNREFUSED, EAGAIN, EMSGSIZE, ENETUNREACH, ENOBUFS};
        c.error = errors[in_.u8() % errors.size()];
        if (in_.u8() % 2 == 0)
            receiver_->on_broken(c, now_, out_);
        else
            receiver_->on_send_failed(c, now_, out_);
        carry_out();
    }
    void set_server() {
        Command c;
        c.kind = CommandKind::set_server;
        c.resolved.count = in_.u8() % 4;
        for (std::uint32_t i = 0; i < c.resolved.count; ++i)
            c.resolved.addresses[i] = Endpoint::from_v4(0x7F000001u + in_.u8() % 4u, 4001);
        receiver_->on_command(c, now_, out_);
        carry_out();
    }

    void from_sender(Bytes packet) {
        Completion c;
        c.kind = Completion::Kind::received;
        c.socket = SocketId(0);
        c.tag = bond::Receiver::uplink_tag;
        c.from = sender();
        c.packet = put(packet);
        if (c.packet.buffer == no_buffer) return;
        const std::size_t before = answers_;
        receiver_->on_received(c, now_, out_);
        const auto type = wire::packet_type(packet);
        const bool registers = packet.size() == wire::registration_bytes && type && (*type & 0xFFFE) == 0x9200;
        strangers_limit_ = registers ? packet.size() : 1500;
        carry_out();
        HAWSER_CHECK(!registers || answers_ <= before + 1);
        pool_.release(c.packet.buffer);
    }
    void from_server(Bytes packet) {
        if (sockets_.size() < 2) return;
        const std::size_t i = 1 + in_.u8() % (sockets_.size() - 1);
        Completion c;
        c.kind = Completion::Kind::received;
        c.socket = SocketId(static_cast<std::uint16_t>(i));
        c.tag = sockets_[i].tag == closed ? in_.u32() | 1u : sockets_[i].tag;
        if (c.tag == bond::Receiver::uplink_tag) return;
        c.packet = put(packet);
        if (c.packet.buffer == no_buffer) return;
        receiver_->on_received(c, now_, out_);
        carry_out();
        pool_.release(c.packet.buffer);
    }
    [[nodiscard]] PacketRef put(Bytes packet) {
        const BufferId buffer = pool_.take();
        if (buffer == no_buffer) return {};
        std::copy(packet.begin(), packet.end(), pool_.data(buffer));
        return PacketRef{buffer, 0, static_cast<std::uint16_t>(packet.size())};
    }

    void pass(Duration span) {
        const Instant end = now_ + span;
        for (int guard = 0; receiver_->next_deadline() <= end; ++guard) {
            HAWSER_CHECK(guard < 100'000);
            now_ = std::max(now_, receiver_->next_deadline());
            receiver_->on_deadline(now_, out_);
            carry_out();
        }
        now_ = end;
    }

    void carry_sends() {
        for (const bond::SendAction& s : out_.sends()) {
            const Bytes bytes = pool_.bytes(s.packet);
            const SocketSpec& socket = sockets_.at(s.socket.value);
            HAWSER_CHECK(socket.tag != closed && socket.connected == (s.to == nullptr));
            if (socket.connected) {
                HAWSER_CHECK(bytes.size() >= wire::srt_header_bytes && bytes.size() <= wire::datagram_bytes_max);
                HAWSER_CHECK(!wire::is_srtla_space(load_be16(bytes.data())));
                continue;
            }
            ++answers_;
            HAWSER_CHECK(bytes.size() <= strangers_limit_);
            if (bytes.size() == wire::registration_bytes && load_be16(bytes.data()) == 0x9201) {
                if (key_count_ < keys_max) ++key_count_;
                std::copy_n(bytes.begin() + 2, wire::group_id_bytes, keys_[answers_ % key_count_].begin());
            }
        }
        out_.clear_sends();
    }
    void carry_out() {
        carry_sends();
        while (out_.has_rare()) {
            out_.clear_events();
            for (const SocketId s : out_.closes()) {
                HAWSER_CHECK(sockets_.at(s.value).tag != closed);
                sockets_[s.value].tag = closed;
            }
            out_.clear_closes();
            const std::vector<bond::OpenAction> opens(out_.opens().begin(), out_.opens().end());
            out_.clear_opens();
            for (const bond::OpenAction& o : opens) {
                if (fail_opens_ && o.spec.connected) {
                    receiver_->on_opened(o.spec.tag, Failure{Errno{EMFILE, "socket"}}, o.spec.local, 0, now_, out_);
                } else {
                    const auto id = static_cast<std::uint16_t>(free_socket());
                    sockets_[id] = o.spec;
                    receiver_->on_opened(o.spec.tag, SocketId(id), Endpoint::from_v4(0x7F000001, id), 0, now_, out_);
                }
                carry_sends();
            }
        }
    }
    // The lowest number that is free, as descriptors are.
    [[nodiscard]] std::size_t free_socket() {
        for (std::size_t i = 0; i < sockets_.size(); ++i)
            if (sockets_[i].tag == closed) return i;
        HAWSER_CHECK(sockets_.size() < sockets_max);
        sockets_.emplace_back();
        return sockets_.size() - 1;
    }

    fuzz::Input& in_;
    std::vector<std::uint8_t> slab_;
    Pool pool_;
    bond::Actions out_;
    std::unique_ptr<bond::Receiver> receiver_;
    Instant now_{1'000'000'000};
    std::vector<SocketSpec> sockets_;
    std::array<wire::GroupKey, keys_max> keys_{};
    std::size_t key_count_ = 0;
    std::size_t answers_ = 0;
    std::size_t strangers_limit_ = 1500;
    std::uint32_t sequence_ = 0;
    Endpoint sender_;
    bool fail_opens_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    Session(input).run();
    return 0;
}
