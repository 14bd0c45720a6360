// SPDX-License-Identifier: MIT
#include "platform/control/pcapng_reader.h"

#include <utility>

#include "platform/control/pcapng_format.h"

namespace hawser::control {

namespace {

using namespace pcapng;

constexpr std::uint32_t byte_order_turned = 0x4D3C2B1A;
// Of captures of the older format, by byte order and resolution.
constexpr std::uint32_t pcap_magics[] = {0xA1B2C3D4, 0xD4C3B2A1, 0xA1B23C4D, 0x4D3CB2A1};

// The caller has seen that they are there.
std::uint32_t word16(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])) |
           static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + 1])) << 8;
}
std::uint32_t word32(std::string_view bytes, std::size_t at) { return word16(bytes, at) | word16(bytes, at + 2) << 16; }

}  // namespace

std::string PcapngReader::wrong(std::size_t at, std::string_view what) const {
    return name_ + ": at byte " + std::to_string(begin_ + at) + ": " + std::string(what);
}

Result<PcapngReader, std::string> PcapngReader::open(std::string_view file, std::string name) {
    PcapngReader reader(file, std::move(name));
    if (file.size() < 4) return Failure{reader.wrong(0, "the file is too short for a capture")};
    const std::uint32_t first = word32(file, 0);
    for (const std::uint32_t magic : pcap_magics)
        if (first == magic) return Failure{reader.wrong(0, "this is a pcap file, not a pcapng file")};
    if (first != section_block) return Failure{reader.wrong(0, "this is no pcapng file")};
    if (file.size() >= 12 && word32(file, 8) == byte_order_turned)
        return Failure{reader.wrong(8, "written in big-endian byte order, which is not read")};
    auto block = reader.next_block();
    if (!block) return Failure{block.error()};
    if (!block->has_value()) return Failure{reader.wrong(0, "the file ends within its section's header")};
    const auto read = reader.read_section((**block).body);
    if (!read) return Failure{read.error()};
    return reader;
}

Result<std::optional<PcapngReader::Block>, std::string> PcapngReader::next_block() {
    begin_ = next_;
    const std::size_t left = file_.size() - begin_;
    const auto torn = [&]() -> std::optional<Block> {
        note_ = wrong(0, "the file ends within a block; what came before is used");
        next_ = file_.size();
        return std::nullopt;
    };
    if (left == 0) return std::optional<Block>();
    if (left < block_frame_bytes) return torn();
    const std::size_t length = word32(file_, begin_ + 4);
    if (length < block_frame_bytes || length % 4 != 0)
        return Failure{wrong(4, "a block of " + std::to_string(length) + " bytes")};
    if (length > left) return torn();
    if (word32(file_, begin_ + length - 4) != length) return Failure{wrong(length - 4, "a block's two lengths differ")};
    next_ = begin_ + length;
    return std::optional<Block>({word32(file_, begin_), file_.substr(begin_ + 8, length - block_frame_bytes)});
}

template <class Take>
Result<Unit, std::string> PcapngReader::each_option(std::string_view body, std::size_t at, Take&& take) const {
    while (at < body.size()) {
        if (body.size() - at < 4) return Failure{wrong(8 + at, "an option is cut off")};
        const auto code = static_cast<std::uint16_t>(word16(body, at));
        const std::size_t size = word16(body, at + 2);
        if (code == opt_end) break;
        if (padded(size) > body.size() - at - 4)
            return Failure{wrong(8 + at, "an option of " + std::to_string(size) + " bytes is longer than its block")};
        take(code, body.substr(at + 4, size));
        at += 4 + padded(size);
    }
    return Unit{};
}

Result<Unit, std::string> PcapngReader::read_section(std::string_view body) {
    if (body.size() < section_bytes) return Failure{wrong(4, "the section's header is too short")};
    if (word32(body, 0) != byte_order_magic) return Failure{wrong(8, "the section has no byte-order magic")};
    if (word16(body, 4) != version_major) return Failure{wrong(12, "the version is not 1")};
    return each_option(body, section_bytes, [this](std::uint16_t code, std::string_view value) {
        if (code == opt_comment && comment_.empty()) comment_ = value;
        if (code == shb_userappl) application_ = value;
    });
}

Result<Unit, std::string> PcapngReader::read_interface(std::string_view body) {
    if (body.size() < interface_bytes) return Failure{wrong(4, "an interface's block is too short")};
    if (interfaces_.size() == interfaces_max) return Failure{wrong(0, "there are too many interfaces")};
    if (word16(body, 0) != linktype_raw)
        return Failure{wrong(8, "the link type is " + std::to_string(word16(body, 0)) + ", not 101 (raw IP)")};
    Interface made;
    bool is_ns = false;
    auto read = each_option(body, interface_bytes, [&](std::uint16_t code, std::string_view value) {
        if (code == if_name) made.name = value;
        if (code == if_description) made.description = value;
        if (code == if_tsresol) is_ns = value.size() == 1 && static_cast<std::uint8_t>(value[0]) == nanoseconds;
    });
    if (!read) return read;
    if (!is_ns) return Failure{wrong(0, "an interface's stamps are not in nanoseconds")};
    interfaces_.push_back(made);
    return Unit{};
}

Result<PcapngReader::Packet, std::string> PcapngReader::read_packet(std::string_view body) const {
    if (body.size() < packet_bytes) return Failure{wrong(4, "a packet's block is too short")};
    Packet packet;
    packet.interface = word32(body, 0);
    if (packet.interface >= interfaces_.size())
        return Failure{wrong(8, "a packet of interface " + std::to_string(packet.interface) + ", which is not there")};
    const std::uint64_t stamp = std::uint64_t{word32(body, 4)} << 32 | word32(body, 8);
    if (stamp >> 63 != 0) return Failure{wrong(12, "a packet's stamp is beyond every clock")};
    packet.utc_ns = static_cast<std::int64_t>(stamp);
    const std::size_t kept = word32(body, 12);
    packet.length = word32(body, 16);
    if (kept > packet.length || padded(kept) > body.size() - packet_bytes)
        return Failure{wrong(20, std::to_string(kept) + " bytes of a packet of " + std::to_string(packet.length) +
                                     " in a block of " + std::to_string(body.size() + block_frame_bytes))};
    const std::string_view bytes = body.substr(packet_bytes, kept);
    packet.bytes = Bytes(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    auto read = each_option(body, packet_bytes + padded(kept), [&](std::uint16_t code, std::string_view value) {
        if (code == opt_comment && packet.comment.empty()) packet.comment = value;
        if (code == epb_flags && value.size() == 4)
            packet.is_outbound = (word32(value, 0) & direction_mask) == outbound;
    });
    if (!read) return Failure{read.error()};
    return packet;
}

Result<std::optional<PcapngReader::Packet>, std::string> PcapngReader::next() {
    while (true) {
        auto block = next_block();
        if (!block) return Failure{block.error()};
        if (!block->has_value()) return std::optional<Packet>();
        const Block& found = **block;
        if (found.type == section_block) return Failure{wrong(0, "a second section begins; one is read")};
        if (found.type == interface_block) {
            if (const auto read = read_interface(found.body); !read) return Failure{read.error()};
        } else if (found.type == packet_block) {
            auto packet = read_packet(found.body);
            if (!packet) return Failure{packet.error()};
            return std::optional<Packet>(*packet);
        }
    }
}

}  // namespace hawser::control
