// SPDX-License-Identifier: MIT
// A capture file as Wireshark reads it: draft-ietf-opsawg-pcapng, one section of little-endian blocks. Interfaces have
// a name each and nanosecond stamps; packets are IP packets without a link layer (LINKTYPE_RAW), each with a comment.
// Pure: bytes grow in memory until they are taken, which may be between any two calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/bytes.h"

namespace hawser::control {

class PcapngWriter {
public:
    struct Packet {
        std::uint32_t interface = 0;  // as add_interface() numbered it
        std::int64_t utc_ns = 0;      // since 1970
        bool is_outbound = false;
        Bytes bytes;               // what was kept of it
        std::uint32_t length = 0;  // what it had
        std::string_view comment;  // UTF-8; cut at 4096 bytes
    };

    // `application` and `comment` describe the file.
    PcapngWriter(std::string_view application, std::string_view comment);
    [[nodiscard]] std::uint32_t add_interface(std::string_view name, std::string_view description);
    // Its interface was added before.
    void add_packet(const Packet& packet);

    [[nodiscard]] std::uint64_t packets() const { return packets_; }
    // What is to be taken, in bytes; and it, whole blocks each time.
    [[nodiscard]] std::size_t waiting() const { return bytes_.size(); }
    [[nodiscard]] std::string take() { return std::exchange(bytes_, {}); }

private:
    [[nodiscard]] std::size_t begin_block(std::uint32_t type);
    void end_block(std::size_t begin);
    void put16(std::uint16_t value);
    void put32(std::uint32_t value);
    void put_padded(std::string_view bytes);
    void put_option(std::uint16_t code, std::string_view value);
    void end_options() { put32(0); }

    std::string bytes_;
    std::uint32_t interfaces_ = 0;
    std::uint64_t packets_ = 0;
};

}  // namespace hawser::control
