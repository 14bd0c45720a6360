// SPDX-License-Identifier: MIT
#include "perf/wire/near_end.h"

namespace hawser::perf {

NearEnd::NearEnd(std::uint16_t srt_port, std::uint32_t initial_sequence)
    : initial_sequence_(initial_sequence), socket_(ipv4(loopback, 0)), in_(64, 128), storage_(batch_max * data_bytes) {
    socket_.connect(ipv4(loopback, srt_port));
    for (unsigned i = 0; i < batch_max; ++i) {
        std::uint8_t* packet = storage_.data() + i * data_bytes;
        for (std::size_t b = wire::srt_header_bytes; b < data_bytes; ++b) packet[b] = static_cast<std::uint8_t>(b);
        parts_[i] = {packet, data_bytes};
        messages_[i].msg_hdr.msg_iov = &parts_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
    }
}

bool NearEnd::handshake() {
    listen();
    if (phase_ == Phase::open) return true;
    HandshakeFields fields;
    fields.initial_sequence = initial_sequence_;
    fields.socket_id = caller_id;
    if (phase_ == Phase::conclusion) {
        fields.version = 5;
        fields.extension_field = 1;
        fields.extension_type = 1;
        fields.request = wire::handshake_conclusion;
        fields.cookie = cookie_;
    }
    const HandshakePacket packet = build_handshake(fields);
    // Refused while the program under test has not opened its port yet: the next step says it again.
    if (::send(socket_.fd(), packet.storage.data(), packet.length, MSG_DONTWAIT) < 0) return false;
    return false;
}

void NearEnd::keepalive() {
    std::array<std::uint8_t, 20> packet{};
    put_header(packet.data(), 0x8001'0000, 0, 0, destination_);
    if (::send(socket_.fd(), packet.data(), packet.size(), MSG_DONTWAIT) < 0) ++refused_;
}

void NearEnd::send(std::uint64_t index, unsigned count, std::int64_t now) {
    for (unsigned i = 0; i < count; ++i) {
        std::uint8_t* packet = storage_.data() + i * data_bytes;
        const auto sequence = wire::Seq31(initial_sequence_ + static_cast<std::uint32_t>(index + i));
        // Solo packet, in order, in clear: bits 11 1 00 0 and the message number.
        const auto message = 0xE000'0000u | static_cast<std::uint32_t>((index + i + 1) & 0x03FF'FFFF);
        put_header(packet, sequence.raw(), message, static_cast<std::uint32_t>(now / 1000), destination_);
        store_be64(packet + wire::srt_header_bytes, static_cast<std::uint64_t>(now));
    }
    if (count == 1) {
        if (::send(socket_.fd(), storage_.data(), data_bytes, MSG_DONTWAIT) < 0) ++refused_;
        return;
    }
    for (unsigned done = 0; done < count;) {
        const int n = sendmmsg(socket_.fd(), messages_.data() + done, count - done, MSG_DONTWAIT);
        if (n <= 0) ++refused_;
        done += n > 0 ? static_cast<unsigned>(n) : 1;
    }
}

void NearEnd::listen() {
    const unsigned n = in_.receive(socket_.fd());
    for (unsigned i = 0; i < n; ++i) {
        const auto srt = wire::SrtPacket::over(in_.bytes(i));
        if (!srt) continue;
        const auto answer = wire::Handshake::over(*srt);
        if (!answer) continue;
        if (answer->request_type() == wire::handshake_induction && phase_ == Phase::induction) {
            cookie_ = load_be32(in_.data(i) + 44);
            phase_ = Phase::conclusion;
        } else if (answer->request_type() == wire::handshake_conclusion && phase_ == Phase::conclusion) {
            destination_ = answer->socket_id();
            phase_ = Phase::open;
        }
    }
}

void NearEnd::drain() { returned_ += in_.receive(socket_.fd()); }

}  // namespace hawser::perf
