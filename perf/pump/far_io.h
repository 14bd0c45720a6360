// SPDX-License-Identifier: MIT
// An Io without a kernel for the sender's in-process bench: its wait() hands out the next data packets of an SRT caller
// and the answers of a receiver that has everything at once, and its clock is a count. It registers links, opens the
// SRT session, and acknowledges as the benches on the wire do: an SRTLA ACK per ten packets and link, an SRT ACK on
// every link per hundred packets. So a turn costs what the engine costs, and the same run is the same to the
// instruction.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "engine/base/pool.h"
#include "engine/pump/io.h"
#include "engine/wire/srtla.h"
#include "perf/wire/srt_packets.h"

namespace hawser::perf {

class FarIo {
public:
    // Data comes `batch` packets per turn, turns `turn_ns` apart.
    FarIo(Pool& pool, unsigned batch, std::int64_t turn_ns) : pool_(pool), batch_(batch), turn_ns_(turn_ns) {
        completions_.reserve(4096);
        answers_.reserve(1024);
    }

    [[nodiscard]] bool session() const { return destination_ != 0; }
    [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    [[nodiscard]] const std::array<std::uint64_t, links_max + 1>& by_socket() const { return by_socket_; }
    // Packets that are still to be handed out; 0 stops the flow.
    void flow(std::uint64_t packets) { to_come_ = packets; }
    [[nodiscard]] bool flowing() const { return to_come_ > 0; }
    // The next turn finds that somebody has called wake(): commands are taken then.
    void say_woken() { woken_ = true; }
    // Hands the caller's half of the SRT handshake to the sender, the next step of it each time.
    void knock() { knocking_ = true; }

    Result<SocketId, Errno> open(const SocketSpec& spec) noexcept {
        if (opened_ == sockets_.size()) return Failure{Errno{24, "open"}};  // EMFILE
        sockets_[opened_] = Peer{spec.tag, spec.connected, {}};
        return SocketId(static_cast<std::uint16_t>(opened_++));
    }
    void close(SocketId) noexcept {}
    Endpoint local(SocketId socket) noexcept { return Endpoint::from_v4(0x7F00'0001, address_port(socket)); }
    std::uint32_t payload_bytes_max(SocketId) noexcept { return 1472; }
    Instant now() noexcept { return Instant{clock_ns_}; }
    void wake() noexcept { woken_ = true; }
    [[nodiscard]] const IoCounters& counters() const noexcept { return counters_; }

    void send(SocketId socket, PacketRef packet, const Endpoint*) noexcept {
        const Bytes bytes = pool_.bytes(packet);
        const bool is_data = (bytes[0] & 0x80) == 0;
        if (!sockets_[socket.index()].uplink) return on_caller(bytes);
        if (is_data) return on_data(socket, bytes);
        on_uplink(socket, bytes);
    }

    void keep_order(bool) noexcept {}
    Turn wait(Instant deadline, Duration) noexcept {
        clock_ns_ += turn_ns_;
        completions_.clear();
        for (const Answer& a : answers_) deliver(a.socket, Bytes(a.bytes).first(a.length));
        answers_.clear();
        if (woken_) completions_.emplace_back();
        woken_ = false;
        if (knocking_) offer_handshake();
        for (unsigned i = 0; i < batch_ && to_come_ > 0; ++i, --to_come_) offer_data();
        // Nothing to hand out: time jumps to what the sender waits for.
        if (completions_.empty() && deadline != never) clock_ns_ = std::max(clock_ns_, deadline.ns);
        return Turn{Instant{clock_ns_}, completions_};
    }

private:
    struct Peer {
        std::uint32_t tag = 0;
        bool uplink = false;
        wire::SrtlaAckBuilder pending;
    };
    struct Answer {
        SocketId socket;
        std::uint16_t length = 0;
        std::array<std::uint8_t, wire::registration_bytes> bytes{};
    };
    static constexpr std::uint16_t address_port(SocketId socket) {
        return static_cast<std::uint16_t>(20'000 + socket.value);
    }

    void answer(SocketId socket, Bytes bytes) {
        Answer& a = answers_.emplace_back();
        a.socket = socket;
        a.length = static_cast<std::uint16_t>(bytes.size());
        std::copy(bytes.begin(), bytes.end(), a.bytes.begin());
    }

    void deliver(SocketId socket, Bytes bytes) {
        const BufferId buffer = pool_.take();
        if (buffer == no_buffer) return;
        std::copy(bytes.begin(), bytes.end(), pool_.data(buffer));
        push(socket, PacketRef{buffer, 0, static_cast<std::uint16_t>(bytes.size())});
    }

    void push(SocketId socket, PacketRef packet) {
        Completion& c = completions_.emplace_back();
        c.kind = Completion::Kind::received;
        c.socket = socket;
        c.tag = sockets_[socket.index()].tag;
        c.packet = packet;
        if (!sockets_[socket.index()].uplink) c.from = Endpoint::from_v4(0x7F00'0001, caller_port);
    }

    // Only the header of a data packet is written: its payload is nobody's business here.
    void offer_data() {
        const BufferId buffer = pool_.take();
        if (buffer == no_buffer) return;
        const auto sequence = wire::Seq31(first_sequence + static_cast<std::uint32_t>(offered_));
        const auto message = 0xE000'0000u | static_cast<std::uint32_t>((offered_ + 1) & 0x03FF'FFFF);
        put_header(pool_.data(buffer), sequence.raw(), message, static_cast<std::uint32_t>(clock_ns_ / 1000),
                   destination_);
        ++offered_;
        push(local_socket(), PacketRef{buffer, 0, data_bytes});
    }

    void offer_handshake() {
        knocking_ = false;
        HandshakeFields fields;
        fields.initial_sequence = first_sequence;
        fields.socket_id = caller_id;
        if (cookie_ != 0) {
            fields.version = 5;
            fields.extension_field = 1;
            fields.extension_type = 1;
            fields.request = wire::handshake_conclusion;
            fields.cookie = cookie_;
        }
        deliver(local_socket(), build_handshake(fields).bytes());
    }

    [[nodiscard]] SocketId local_socket() const {
        for (std::size_t i = 0; i < opened_; ++i)
            if (!sockets_[i].uplink) return SocketId(static_cast<std::uint16_t>(i));
        return no_socket;
    }

    void on_caller(Bytes bytes) {
        const auto srt = wire::SrtPacket::over(bytes);
        const auto handshake = srt ? wire::Handshake::over(*srt) : std::nullopt;
        if (!handshake) return;
        if (handshake->request_type() == wire::handshake_induction)
            cookie_ = load_be32(bytes.data() + 44);
        else
            destination_ = handshake->socket_id();
    }

    void on_data(SocketId socket, Bytes bytes) {
        ++delivered_;
        ++by_socket_[socket.index()];
        hash_ = (hash_ ^ (socket.value + delivered_)) * 0x0000'0100'0000'01B3u;  // FNV-1a's prime
        wire::SrtlaAckBuilder& pending = sockets_[socket.index()].pending;
        pending.add(wire::Seq31(load_be32(bytes.data())));
        if (pending.full()) {
            answer(socket, pending.bytes());
            pending.clear();
        }
        if (delivered_ % srt_ack_packets != 0) return;
        const auto ack = build_srt_ack(++ack_number_, first_sequence + static_cast<std::uint32_t>(delivered_),
                                       static_cast<std::uint32_t>(clock_ns_ / 1000));
        for (std::size_t i = 0; i < opened_; ++i)
            if (sockets_[i].uplink) answer(SocketId(static_cast<std::uint16_t>(i)), ack);
    }

    void on_uplink(SocketId socket, Bytes bytes) {
        const auto type = static_cast<wire::SrtlaType>(load_be16(bytes.data()));
        const std::array<std::uint8_t, 2> joined{0x92, 0x02};
        const std::array<std::uint8_t, 2> unknown{0x92, 0x11};
        if (type == wire::SrtlaType::keepalive) return answer(socket, bytes);
        if (type == wire::SrtlaType::reg2) return answer(socket, has_group_ ? joined : unknown);
        if (type == wire::SrtlaType::reg1) {
            std::array<std::uint8_t, wire::registration_bytes> reply{};
            std::copy(bytes.begin(), bytes.end(), reply.begin());
            reply[1] = 0x01;
            has_group_ = true;
            return answer(socket, reply);
        }
        const auto srt = wire::SrtPacket::over(bytes);
        const auto asked = srt ? wire::Handshake::over(*srt) : std::nullopt;
        if (!asked) return;
        HandshakeFields fields;
        fields.version = 5;
        fields.initial_sequence = first_sequence;
        fields.cookie = 0x00C0'0C1E;
        fields.destination = caller_id;
        fields.extension_field = 0x4A17;  // libsrt's mark of a version 5 listener
        if (asked->request_type() != wire::handshake_induction) {
            fields.request = wire::handshake_conclusion;
            fields.extension_field = 1;
            fields.extension_type = 2;
            fields.socket_id = listener_id;
        }
        answer(socket, build_handshake(fields).bytes());
    }

    static constexpr std::uint32_t first_sequence = 1'000'000;
    static constexpr std::uint16_t caller_port = 30'000;
    static constexpr unsigned srt_ack_packets = 100;

    Pool& pool_;
    unsigned batch_;
    std::int64_t turn_ns_;
    std::int64_t clock_ns_ = 1'000'000'000;
    std::array<Peer, links_max + 1> sockets_{};
    std::size_t opened_ = 0;
    std::vector<Completion> completions_;
    std::vector<Answer> answers_;
    std::uint64_t to_come_ = 0;
    std::uint64_t offered_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t hash_ = 0xCBF2'9CE4'8422'2325u;  // FNV-1a's basis
    std::array<std::uint64_t, links_max + 1> by_socket_{};
    std::uint32_t ack_number_ = 0;
    std::uint32_t cookie_ = 0;
    std::uint32_t destination_ = 0;
    bool has_group_ = false;
    bool knocking_ = false;
    bool woken_ = false;
    IoCounters counters_;
};
static_assert(Io<FarIo>);

}  // namespace hawser::perf
