// SPDX-License-Identifier: MIT
// pcap's layout and the link types' numbers: draft-ietf-opsawg-pcap, tcpdump.org/linktypes.html.
#include "platform/app/radio/capture.h"

#include <algorithm>
#include <array>

namespace hawser::app {

namespace {

constexpr std::size_t file_header_bytes = 24;
constexpr std::size_t record_header_bytes = 16;
// tcpdump's own limit of a frame.
constexpr std::uint32_t frame_bytes_max = 262'144;
constexpr std::uint32_t magic_us = 0xA1B2'C3D4;
constexpr std::uint32_t magic_ns = 0xA1B2'3C4D;
constexpr std::uint32_t magic_pcapng = 0x0A0D'0D0A;

// What stands before IP in a frame; absent where another protocol follows.
std::optional<std::size_t> link_bytes(std::uint32_t link_type, Bytes frame) {
    const auto type_at = [&](std::size_t at) -> std::uint32_t {
        return frame.size() >= at + 2 ? load_be16(frame.data() + at) : 0u;
    };
    const auto if_ip = [](std::uint32_t type, std::size_t bytes) {
        return type == 0x0800 || type == 0x86DD ? std::optional(bytes) : std::nullopt;
    };
    switch (link_type) {
        case 0: return 4;  // BSD loopback
        case 1: return type_at(12) == 0x8100 ? if_ip(type_at(16), 18) : if_ip(type_at(12), 14);
        case 101: return 0;                       // IP
        case 113: return if_ip(type_at(14), 16);  // Linux cooked
        case 276: return if_ip(type_at(0), 20);   // Linux cooked, version 2
        default: return std::nullopt;
    }
}

bool is_known(std::uint32_t link_type) {
    constexpr auto known = std::to_array<std::uint32_t>({0, 1, 101, 113, 276});  // link_bytes()'s
    return std::find(known.begin(), known.end(), link_type) != known.end();
}

Endpoint address_at(Bytes ip, std::size_t at, bool v4) {
    if (v4) return Endpoint::from_v4(load_be32(ip.data() + at), 0);
    Endpoint e;
    std::copy_n(ip.data() + at, 16, e.address.begin());
    return e;
}

}  // namespace

CaptureReader::CaptureReader(std::FILE* file) : file_(file) {
    is_capture_ = fill(4);
    if (!is_capture_) return;
    const std::uint32_t magic = load_be32(room_.data());
    const auto swapped = [](std::uint32_t v) {
        return (v >> 24) | ((v >> 8) & 0xFF00) | ((v << 8) & 0xFF'0000) | (v << 24);
    };
    for (const std::uint32_t known : {magic_us, magic_ns}) {
        if (magic != known && magic != swapped(known)) continue;
        is_big_endian_ = magic == known;
        has_ns_ = known == magic_ns;
        if (!fill(file_header_bytes)) {
            complaint_ = "the capture ends in its head";
            is_over_ = true;
            return;
        }
        link_type_ = u32(20) & 0xFFFF;  // the rest is of frame checksums
        if (is_known(link_type_)) return;
        complaint_ = "its frames are of link type " + std::to_string(link_type_) +
                     ", which is not read here (tcpdump.org/linktypes.html has its name): only Ethernet, IP alone, "
                     "BSD's loopback and Linux cooked are";
        is_over_ = true;
        return;
    }
    is_capture_ = false;
    if (magic != magic_pcapng) return;
    complaint_ = "it is a pcapng file; `editcap -F pcap` makes a pcap of it";
    is_over_ = true;
}

// What is there stays.
bool CaptureReader::fill(std::size_t bytes) {
    while (room_.size() < bytes) {
        const std::size_t before = room_.size();
        room_.resize(bytes);
        const std::size_t got = std::fread(room_.data() + before, 1, bytes - before, file_);
        room_.resize(before + got);
        if (got == 0) return false;
    }
    return true;
}

std::uint32_t CaptureReader::u32(std::size_t at) const {
    const std::uint8_t* b = room_.data() + at;
    if (is_big_endian_) return load_be32(b);
    return b[0] | (std::uint32_t{b[1]} << 8) | (std::uint32_t{b[2]} << 16) | (std::uint32_t{b[3]} << 24);
}

std::optional<CapturedDatagram> CaptureReader::next() {
    if (is_over_) return std::nullopt;
    if (!is_capture_) {
        is_over_ = true;
        static_cast<void>(fill(65'536));
        if (room_.empty()) return std::nullopt;
        CapturedDatagram alone;
        alone.bytes = room_;
        return alone;
    }
    while (true) {
        room_.clear();
        if (!fill(record_header_bytes)) {
            if (!room_.empty()) complaint_ = "the capture ends inside a frame";
            break;
        }
        const std::int64_t unix_ns = std::int64_t{u32(0)} * 1'000'000'000 + std::int64_t{u32(4)} * (has_ns_ ? 1 : 1000);
        const std::uint32_t length = u32(8);
        if (length > frame_bytes_max) {
            complaint_ = "the capture is damaged";
            break;
        }
        if (!fill(record_header_bytes + length)) {
            complaint_ = "the capture ends inside a frame";
            break;
        }
        if (auto datagram = datagram_of(Bytes(room_).subspan(record_header_bytes))) {
            datagram->unix_ns = unix_ns;
            return datagram;
        }
        ++passed_over_;
    }
    is_over_ = true;
    return std::nullopt;
}

std::optional<CapturedDatagram> CaptureReader::datagram_of(Bytes frame) const {
    const auto before = link_bytes(link_type_, frame);
    if (!before || frame.size() < *before + 20) return std::nullopt;
    const Bytes ip = frame.subspan(*before);
    const bool v4 = ip[0] >> 4 == 4;
    if (!v4 && (ip[0] >> 4 != 6 || ip.size() < 40)) return std::nullopt;
    const std::size_t header = v4 ? std::size_t{ip[0] & 15u} * 4 : 40;
    const bool is_fragment = v4 && (load_be16(ip.data() + 6) & 0x3FFF) != 0;
    constexpr std::uint8_t udp = 17;
    if (ip[v4 ? 9 : 6] != udp || is_fragment || header < 20 || ip.size() < header + 8) return std::nullopt;
    const Bytes datagram = ip.subspan(header);
    const std::size_t length = load_be16(datagram.data() + 4);
    if (length < 8 || length > datagram.size()) return std::nullopt;
    CapturedDatagram out;
    out.source = address_at(ip, v4 ? 12 : 8, v4);
    out.destination = address_at(ip, v4 ? 16 : 24, v4);
    out.source.port = load_be16(datagram.data());
    out.destination.port = load_be16(datagram.data() + 2);
    out.bytes = datagram.subspan(8, length - 8);
    return out;
}

}  // namespace hawser::app
