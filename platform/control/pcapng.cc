// SPDX-License-Identifier: MIT
#include "platform/control/pcapng.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "platform/control/pcapng_format.h"

namespace hawser::control {

namespace {

using namespace pcapng;

std::string_view view_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

void PcapngWriter::put16(std::uint16_t value) {
    bytes_ += static_cast<char>(value & 0xFF);
    bytes_ += static_cast<char>(value >> 8);
}

void PcapngWriter::put32(std::uint32_t value) {
    put16(static_cast<std::uint16_t>(value & 0xFFFF));
    put16(static_cast<std::uint16_t>(value >> 16));
}

void PcapngWriter::put_padded(std::string_view bytes) {
    bytes_ += bytes;
    bytes_.append(padded(bytes.size()) - bytes.size(), '\0');
}

void PcapngWriter::put_option(std::uint16_t code, std::string_view value) {
    if (value.empty()) return;
    std::size_t size = std::min(value.size(), option_bytes_max);
    // Not in the middle of a character.
    while (size < value.size() && size > 0 && (static_cast<unsigned char>(value[size]) & 0xC0) == 0x80) --size;
    put16(code);
    put16(static_cast<std::uint16_t>(size));
    put_padded(value.substr(0, size));
}

// Its length stands before and behind its content, and is known at the end.
std::size_t PcapngWriter::begin_block(std::uint32_t type) {
    const std::size_t begin = bytes_.size();
    put32(type);
    put32(0);
    return begin;
}

void PcapngWriter::end_block(std::size_t begin) {
    const auto length = static_cast<std::uint32_t>(bytes_.size() + 4 - begin);
    put32(length);
    for (std::size_t i = 0; i < 4; ++i) bytes_[begin + 4 + i] = static_cast<char>(length >> (8 * i) & 0xFF);
}

PcapngWriter::PcapngWriter(std::string_view application, std::string_view comment) {
    const std::size_t block = begin_block(section_block);
    put32(byte_order_magic);
    put16(version_major);  // version 1.0
    put16(0);
    put32(0xFFFF'FFFF);  // the section's length is not said
    put32(0xFFFF'FFFF);
    put_option(opt_comment, comment);
    put_option(shb_userappl, application);
    end_options();
    end_block(block);
}

std::uint32_t PcapngWriter::add_interface(std::string_view name, std::string_view description) {
    const std::size_t block = begin_block(interface_block);
    put16(linktype_raw);
    put16(0);
    put32(0);  // no limit of a packet's length
    put_option(if_name, name);
    put_option(if_description, description);
    put_option(if_tsresol, std::string_view(reinterpret_cast<const char*>(&nanoseconds), 1));
    end_options();
    end_block(block);
    return interfaces_++;
}

void PcapngWriter::add_packet(const Packet& packet) {
    HAWSER_CHECK(packet.interface < interfaces_ && packet.bytes.size() <= packet.length);
    const auto stamp = static_cast<std::uint64_t>(std::max<std::int64_t>(packet.utc_ns, 0));
    const std::size_t block = begin_block(packet_block);
    put32(packet.interface);
    put32(static_cast<std::uint32_t>(stamp >> 32));
    put32(static_cast<std::uint32_t>(stamp & 0xFFFF'FFFF));
    put32(static_cast<std::uint32_t>(packet.bytes.size()));
    put32(packet.length);
    put_padded(view_of(packet.bytes));
    put_option(opt_comment, packet.comment);
    put16(epb_flags);
    put16(4);
    put32(packet.is_outbound ? outbound : inbound);
    end_options();
    end_block(block);
    ++packets_;
}

}  // namespace hawser::control
