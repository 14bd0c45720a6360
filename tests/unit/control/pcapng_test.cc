// SPDX-License-Identifier: MIT
// Capture files, block by block as draft-ietf-opsawg-pcapng lays them out.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "platform/control/pcapng.h"
#include "platform/control/udp_packet.h"

using namespace hawser;
using control::PcapngWriter;

namespace {

struct Block {
    std::uint32_t type;
    std::string body;
};

std::uint32_t word(const std::string& bytes, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 4; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return out;
}

std::vector<Block> blocks_of(const std::string& bytes) {
    std::vector<Block> out;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::uint32_t length = word(bytes, at + 4);
        REQUIRE(length % 4 == 0);
        REQUIRE(length >= 12);
        REQUIRE(at + length <= bytes.size());
        REQUIRE(word(bytes, at + length - 4) == length);
        out.push_back({word(bytes, at), bytes.substr(at + 8, length - 12)});
        at += length;
    }
    return out;
}

// The options from `at` on, which end with opt_endofopt at the block's end.
std::vector<std::pair<unsigned, std::string>> options_of(const std::string& body, std::size_t at) {
    std::vector<std::pair<unsigned, std::string>> out;
    while (true) {
        const std::uint32_t head = word(body, at);
        at += 4;
        if (head == 0) break;
        const std::size_t size = head >> 16;
        out.emplace_back(head & 0xFFFF, body.substr(at, size));
        at += (size + 3) / 4 * 4;
    }
    REQUIRE(at == body.size());
    return out;
}

std::uint16_t folded(Bytes bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); i += 2)
        sum += std::uint32_t{bytes[i]} << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0u);
    while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

}  // namespace

TEST_CASE("a file begins with a section that says its order of bytes and who wrote it", "[pcapng]") {
    PcapngWriter writer("hawser 1", "why");
    const auto blocks = blocks_of(writer.take());
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].type == 0x0A0D0D0A);
    CHECK(word(blocks[0].body, 0) == 0x1A2B3C4D);
    CHECK(word(blocks[0].body, 4) == 1);
    CHECK(options_of(blocks[0].body, 16) == std::vector<std::pair<unsigned, std::string>>{{1, "why"}, {4, "hawser 1"}});
}

TEST_CASE("interfaces are raw IP, count nanoseconds and have names", "[pcapng]") {
    PcapngWriter writer("a", "");
    CHECK(writer.add_interface("wwan0", "uplink") == 0);
    CHECK(writer.add_interface("eth0", "") == 1);
    const auto blocks = blocks_of(writer.take());
    REQUIRE(blocks.size() == 3);
    CHECK(blocks[1].type == 1);
    CHECK(word(blocks[1].body, 0) == 101);
    CHECK(options_of(blocks[1].body, 8) ==
          std::vector<std::pair<unsigned, std::string>>{{2, "wwan0"}, {3, "uplink"}, {9, "\x09"}});
    CHECK(options_of(blocks[2].body, 8) == std::vector<std::pair<unsigned, std::string>>{{2, "eth0"}, {9, "\x09"}});
}

TEST_CASE("a packet has its stamp, both lengths, its comment and its direction, of whatever size", "[pcapng]") {
    const std::size_t size = GENERATE(0u, 1u, 2u, 3u, 4u, 61u);
    const std::string comment(size, 'c');
    const std::vector<std::uint8_t> bytes(size, 0x45);
    PcapngWriter writer("a", "");
    static_cast<void>(writer.add_interface("x", ""));
    constexpr std::int64_t stamp = 0x1234'5678'9ABC'DEF0;
    writer.add_packet({.interface = 0,
                       .utc_ns = stamp,
                       .is_outbound = true,
                       .bytes = bytes,
                       .length = static_cast<std::uint32_t>(size + 1000),
                       .comment = comment});
    CHECK(writer.packets() == 1);
    const Block packet = blocks_of(writer.take()).at(2);
    CHECK(packet.type == 6);
    CHECK(word(packet.body, 4) == 0x1234'5678);
    CHECK(word(packet.body, 8) == 0x9ABC'DEF0);
    CHECK(word(packet.body, 12) == size);
    CHECK(word(packet.body, 16) == size + 1000);
    auto options = options_of(packet.body, 20 + (size + 3) / 4 * 4);
    REQUIRE(options.size() == (size == 0 ? 1 : 2));
    if (size != 0) CHECK(options.front() == std::pair<unsigned, std::string>{1, comment});
    CHECK(options.back() == std::pair<unsigned, std::string>{2, std::string("\x02\0\0\0", 4)});
}

TEST_CASE("a comment that is too long ends between two characters", "[pcapng]") {
    std::string comment;
    while (comment.size() < 5000) comment += "\xC3\xA4x";  // 3 bytes: 4096 falls into one
    PcapngWriter writer("a", comment);
    const auto options = options_of(blocks_of(writer.take()).at(0).body, 16);
    REQUIRE(options.front().second.size() <= 4096);
    CHECK(options.front().second.size() > 4090);
    CHECK((static_cast<unsigned char>(comment[options.front().second.size()]) & 0xC0) != 0x80);
}

TEST_CASE("made-up headers have the true lengths and right checksums", "[pcapng]") {
    const std::vector<std::uint8_t> payload{1, 2, 3};
    const Endpoint a = Endpoint::from_v4(0x0A4D'0101, 6000);
    const Endpoint b = Endpoint::from_v4(0x0A63'0002, 5000);
    const auto v4 = control::udp_headers(a, b, 1332, payload);
    REQUIRE(v4.size == 28);
    CHECK(folded(v4.view().first(20)) == 0xFFFF);
    CHECK(load_be16(v4.bytes.data() + 2) == 1332 + 28);
    CHECK(load_be16(v4.bytes.data() + 24) == 1332 + 8);
    CHECK(load_be16(v4.bytes.data() + 20) == 6000);
    CHECK(load_be32(v4.bytes.data() + 16) == 0x0A63'0002);
    CHECK(load_be16(v4.bytes.data() + 26) == 0);

    Endpoint c;
    c.address[0] = 0xFD;
    c.address[15] = 1;
    c.port = 7;
    Endpoint d = c;
    d.address[15] = 2;
    const auto v6 = control::udp_headers(c, d, payload.size(), payload);
    REQUIRE(v6.size == 48);
    CHECK(v6.bytes[0] == 0x60);
    // Pseudo-header, header and payload together.
    std::vector<std::uint8_t> all(v6.bytes.begin() + 8, v6.bytes.begin() + 48);
    all.insert(all.end(), payload.begin(), payload.end());
    CHECK(folded(all, static_cast<std::uint32_t>(8 + payload.size() + 17)) == 0xFFFF);
    // An end of which nothing is known is of the other's family.
    CHECK(control::udp_headers(Endpoint{}, b, 0, {}).size == 28);
    CHECK(control::udp_headers(c, Endpoint{}, 0, {}).size == 48);
}
