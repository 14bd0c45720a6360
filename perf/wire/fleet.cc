// SPDX-License-Identifier: MIT
#include "perf/wire/fleet.h"

#include <algorithm>
#include <cstring>

namespace hawser::perf {

namespace {

constexpr unsigned in_bytes = 320;
// A group says again what has not been answered after this, and at most so many groups speak at once, so that a
// receiver that guards itself against floods of registrations is not asked for more than a city's worth.
constexpr std::int64_t repeat_ns = 200'000'000;
constexpr unsigned voices_max = 16;

std::uint32_t source_address(unsigned group, unsigned link) { return 0x7F00'0000 + ((1 + link) << 16) + group; }

}  // namespace

Fleet::Fleet(std::uint16_t srtla_port, unsigned groups, unsigned links, bool registration)
    : links_(links),
      registration_(registration),
      socket_(ipv4(std::uint32_t{0}, 0)),
      receiver_(ipv4(loopback, srtla_port)),
      groups_(groups),
      storage_(batch_max * data_bytes),
      in_storage_(batch_max * in_bytes) {
    const int on = 1;
    if (setsockopt(socket_.fd(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on) != 0) die("IP_PKTINFO");
    for (unsigned i = 0; i < batch_max; ++i) {
        std::uint8_t* packet = storage_.data() + i * data_bytes;
        for (std::size_t b = wire::srt_header_bytes; b < data_bytes; ++b) packet[b] = static_cast<std::uint8_t>(b);
        parts_[i] = {packet, data_bytes};
        msghdr& out = messages_[i].msg_hdr;
        out.msg_iov = &parts_[i];
        out.msg_iovlen = 1;
        out.msg_name = &receiver_;
        out.msg_namelen = sizeof receiver_;
        out.msg_control = sources_[i].control;
        out.msg_controllen = CMSG_SPACE(sizeof(in_pktinfo));
        static_assert(CMSG_SPACE(sizeof(in_pktinfo)) <= sizeof(Source::control));
        cmsghdr* header = CMSG_FIRSTHDR(&out);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
        in_parts_[i] = {in_storage_.data() + i * in_bytes, in_bytes};
        in_messages_[i].msg_hdr.msg_iov = &in_parts_[i];
        in_messages_[i].msg_hdr.msg_iovlen = 1;
        in_messages_[i].msg_hdr.msg_control = in_destinations_[i].control;
    }
    for (unsigned g = 0; g < groups; ++g) {
        groups_[g].phase = registration ? Phase::probe : Phase::induction;
        for (std::size_t b = 0; b < groups_[g].key.size(); ++b)
            groups_[g].key[b] = static_cast<std::uint8_t>((g * 31 + b * 7) ^ (g >> (b % 8)));
        store_be32(groups_[g].key.data(), g);
    }
}

bool Fleet::open(std::int64_t now) {
    unsigned voices = 0;
    for (unsigned tried = 0; tried < groups_.size() && voices < voices_max; ++tried) {
        const unsigned g = next_;
        next_ = (next_ + 1) % static_cast<unsigned>(groups_.size());
        if (groups_[g].phase == Phase::open || now - groups_[g].said < repeat_ns) continue;
        groups_[g].said = now;
        say(g);
        ++voices;
    }
    drain();
    return open_groups_ == groups_.size();
}

void Fleet::say(unsigned g) {
    Group& group = groups_[g];
    const auto registration = [&](wire::SrtlaType type, unsigned link) {
        std::array<std::uint8_t, wire::registration_bytes> packet{};
        store_be16(packet.data(), static_cast<std::uint16_t>(type));
        std::copy(group.key.begin(), group.key.end(), packet.begin() + 2);
        put(packet, g, link);
    };
    switch (group.phase) {
        case Phase::probe: return registration(wire::SrtlaType::reg2, 0);
        case Phase::create: return registration(wire::SrtlaType::reg1, 0);
        case Phase::join:
            for (unsigned link = 0; link < links_; ++link)
                if ((group.joined >> link & 1) == 0) registration(wire::SrtlaType::reg2, link);
            return;
        case Phase::induction:
        case Phase::conclusion: break;
        case Phase::open: return;
    }
    // A program without registration learns a link by hearing it; the others pass an SRT keepalive on.
    std::array<std::uint8_t, 20> keepalive{};
    put_header(keepalive.data(), 0x8001'0000, 0, 0, 0);
    for (unsigned link = 0; !registration_ && link < links_; ++link) put(keepalive, g, link);
    HandshakeFields fields;
    fields.initial_sequence = fleet_initial_sequence;
    fields.socket_id = first_caller_id + g;
    if (group.phase == Phase::conclusion) {
        fields.version = 5;
        fields.extension_field = 1;
        fields.extension_type = 1;
        fields.request = wire::handshake_conclusion;
        fields.cookie = group.cookie;
    }
    put(build_handshake(fields).bytes(), g, 0);
}

void Fleet::send(std::uint64_t index, unsigned count, std::int64_t now) {
    for (unsigned i = 0; i < count; ++i) {
        const auto g = static_cast<unsigned>((index + i) % groups_.size());
        const std::uint64_t nth = (index + i) / groups_.size();
        std::uint8_t* packet = storage_.data() + i * data_bytes;
        const wire::Seq31 sequence(fleet_initial_sequence + static_cast<std::uint32_t>(nth));
        const auto message = 0xE000'0000u | static_cast<std::uint32_t>((nth + 1) & 0x03FF'FFFF);
        put_header(packet, sequence.raw(), message, static_cast<std::uint32_t>(now / 1000), groups_[g].destination);
        store_be64(packet + wire::srt_header_bytes, static_cast<std::uint64_t>(now));
        set_source(i, g, static_cast<unsigned>(nth % links_));
        parts_[i].iov_len = data_bytes;
    }
    flush(count);
}

void Fleet::drain() {
    for (mmsghdr& m : in_messages_) m.msg_hdr.msg_controllen = sizeof(Source::control);
    const int n = recvmmsg(socket_.fd(), in_messages_.data(), batch_max, MSG_DONTWAIT | MSG_TRUNC, nullptr);
    if (n <= 0) return;
    returned_ += static_cast<unsigned>(n);
    if (open_groups_ == groups_.size()) return;
    for (int i = 0; i < n; ++i) {
        mmsghdr& m = in_messages_[static_cast<unsigned>(i)];
        const cmsghdr* header = CMSG_FIRSTHDR(&m.msg_hdr);
        if (header == nullptr || header->cmsg_type != IP_PKTINFO) continue;
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(header), sizeof info);
        const auto* data = static_cast<const std::uint8_t*>(m.msg_hdr.msg_iov->iov_base);
        on_packet(Bytes(data, std::min<std::size_t>(m.msg_len, in_bytes)), ntohl(info.ipi_addr.s_addr));
    }
}

void Fleet::on_packet(Bytes packet, std::uint32_t to) {
    const unsigned g = to & 0xFFFF;
    const unsigned link = (to >> 16 & 0xFF) - 1;
    const auto type = wire::packet_type(packet);
    if (!type || g >= groups_.size() || link >= links_) return;
    Group& group = groups_[g];
    if (*type == static_cast<std::uint16_t>(wire::SrtControl::handshake)) return on_handshake(group, packet);
    switch (static_cast<wire::SrtlaType>(*type)) {
        case wire::SrtlaType::reg_ngp:
            if (group.phase == Phase::probe) advance(group, Phase::create);
            break;
        case wire::SrtlaType::reg2:
            if (group.phase != Phase::create || packet.size() != wire::registration_bytes) break;
            std::copy_n(packet.begin() + 2, wire::group_id_bytes, group.key.begin());
            advance(group, Phase::join);
            break;
        case wire::SrtlaType::reg3:
            group.joined |= 1u << link;
            if (group.phase == Phase::join && group.joined == (1u << links_) - 1) advance(group, Phase::induction);
            break;
        case wire::SrtlaType::keepalive:
        case wire::SrtlaType::ack:
        case wire::SrtlaType::reg1:
        case wire::SrtlaType::reg_err:
        case wire::SrtlaType::reg_nak: break;
    }
}

void Fleet::on_handshake(Group& group, Bytes packet) {
    const auto srt = wire::SrtPacket::over(packet);
    if (!srt) return;
    const auto answer = wire::Handshake::over(*srt);
    if (!answer) return;
    if (answer->request_type() == wire::handshake_induction && group.phase == Phase::induction) {
        group.cookie = load_be32(packet.data() + 44);
        advance(group, Phase::conclusion);
    } else if (answer->request_type() == wire::handshake_conclusion && group.phase == Phase::conclusion) {
        group.destination = answer->socket_id();
        advance(group, Phase::open);
        ++open_groups_;
    }
}

void Fleet::advance(Group& group, Phase phase) {
    group.phase = phase;
    group.said = 0;
}

void Fleet::put(Bytes packet, unsigned group, unsigned link) {
    // The data packets' storage serves: no data flows while sessions open, and send() writes its headers anew.
    std::copy(packet.begin(), packet.end(), storage_.begin());
    parts_[0].iov_len = packet.size();
    set_source(0, group, link);
    flush(1);
}

void Fleet::set_source(unsigned slot, unsigned group, unsigned link) {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(source_address(group, link));
    if (cmsghdr* header = CMSG_FIRSTHDR(&messages_[slot].msg_hdr)) std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

void Fleet::flush(unsigned count) {
    for (unsigned done = 0; done < count;) {
        const int n = sendmmsg(socket_.fd(), messages_.data() + done, count - done, MSG_DONTWAIT);
        if (n <= 0) ++refused_;
        done += n > 0 ? static_cast<unsigned>(n) : 1;
    }
}

}  // namespace hawser::perf
