// SPDX-License-Identifier: MIT
// Capture files read back: what the writer writes, what is torn, and what is wrong.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "platform/control/pcapng.h"
#include "platform/control/pcapng_reader.h"

using namespace hawser;
using Catch::Contains;
using control::PcapngReader;
using control::PcapngWriter;

namespace {

const std::vector<std::uint8_t> content{0x45, 1, 2, 3, 4};

// A section, two interfaces, `packets` packets.
std::string good_file(std::size_t packets = 2) {
    PcapngWriter writer("hawser 1", "why");
    static_cast<void>(writer.add_interface("wwan0", "uplink"));
    static_cast<void>(writer.add_interface("eth0", ""));
    for (std::size_t i = 0; i < packets; ++i)
        writer.add_packet({.interface = static_cast<std::uint32_t>(i % 2),
                           .utc_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(i),
                           .is_outbound = i % 2 == 0,
                           .bytes = content,
                           .length = 1000,
                           .comment = "no " + std::to_string(i)});
    return writer.take();
}

struct Read {
    std::vector<PcapngReader::Packet> packets;
    std::string note;
    std::string error;
};
Read read(const std::string& file) {
    Read out;
    auto reader = PcapngReader::open(file, "a file");
    if (!reader) {
        out.error = reader.error();
        return out;
    }
    while (true) {
        auto next = reader->next();
        if (!next) {
            out.error = next.error();
            return out;
        }
        if (!next->has_value()) break;
        out.packets.push_back(**next);
    }
    out.note = reader->note();
    return out;
}

void put(std::string& file, std::size_t at, std::uint32_t word) {
    for (std::size_t i = 0; i < 4; ++i) file.at(at + i) = static_cast<char>(word >> (8 * i) & 0xFF);
}
std::uint32_t word(const std::string& file, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 4; i-- > 0;) out = out << 8 | static_cast<unsigned char>(file.at(at + i));
    return out;
}
// Where the n-th block begins.
std::size_t block(const std::string& file, std::size_t n) {
    std::size_t at = 0;
    for (; n > 0; --n) at += word(file, at + 4);
    return at;
}

}  // namespace

TEST_CASE("what was written is read", "[pcapng]") {
    const std::string file = good_file();
    auto reader = PcapngReader::open(file, "a file");
    REQUIRE(reader);
    CHECK(reader->application() == "hawser 1");
    CHECK(reader->comment() == "why");
    const Read all = read(file);
    CHECK(all.error.empty());
    CHECK(all.note.empty());
    REQUIRE(all.packets.size() == 2);
    const PcapngReader::Packet& p = all.packets[1];
    CHECK(p.interface == 1);
    CHECK(p.utc_ns == 1'700'000'000'000'000'001);
    CHECK_FALSE(p.is_outbound);
    CHECK(all.packets[0].is_outbound);
    CHECK(std::vector<std::uint8_t>(p.bytes.begin(), p.bytes.end()) == content);
    CHECK(p.length == 1000);
    CHECK(p.comment == "no 1");
    static_cast<void>(reader->next());
    REQUIRE(reader->interfaces().size() == 2);
    CHECK(reader->interfaces()[0].name == "wwan0");
    CHECK(reader->interfaces()[0].description == "uplink");
}

TEST_CASE("a file that ends early gives what came before, and says so", "[pcapng]") {
    const std::string file = good_file(3);
    const std::size_t first = block(file, 3);
    for (std::size_t size = first; size < file.size(); ++size) {
        const Read all = read(file.substr(0, size));
        CAPTURE(size);
        CHECK(all.error.empty());
        const std::size_t whole = (size - first) / (block(file, 4) - first);
        CHECK(all.packets.size() == whole);
        const bool is_torn = size != block(file, 3 + whole);
        CHECK(all.note.empty() != is_torn);
        if (is_torn)
            CHECK_THAT(all.note,
                       Contains("a file: at byte " + std::to_string(block(file, 3 + whole)) + ": the file ends"));
    }
    for (std::size_t size = 0; size < block(file, 1); ++size) CHECK_FALSE(read(file.substr(0, size)).error.empty());
}

TEST_CASE("blocks of other kinds are passed over", "[pcapng]") {
    std::string file = good_file();
    std::string other = file.substr(block(file, 3), block(file, 4) - block(file, 3));
    put(other, 0, 5);
    file.insert(block(file, 3), other);
    CHECK(read(file).packets.size() == 2);
}

TEST_CASE("whatever is wrong in a capture is named with file and byte", "[pcapng]") {
    const std::string file = good_file();
    const std::size_t interface = block(file, 1);
    const std::size_t packet = block(file, 3);
    struct Fault {
        std::size_t at;
        std::uint32_t word;
        std::size_t told_at;
        const char* what;
    };
    for (const Fault& f : std::vector<Fault>{{0, 0xA1B2C3D4, 0, "a pcap file, not a pcapng file"},
                                             {0, 0x12345678, 0, "no pcapng file"},
                                             {8, 0x4D3C2B1A, 8, "big-endian"},
                                             {8, 7, 8, "magic"},
                                             {12, 2, 12, "version"},
                                             {interface + 4, 8, interface + 4, "a block of 8 bytes"},
                                             {interface + 4, 21, interface + 4, "a block of 21 bytes"},
                                             {block(file, 2) - 4, 24, block(file, 2) - 4, "two lengths differ"},
                                             {interface + 8, 1, interface + 8, "link type is 1,"},
                                             {interface + 16, 0x7FFF0002, interface + 16, "an option of 32767 bytes"},
                                             {packet + 8, 2, packet + 8, "interface 2"},
                                             {packet + 12, 0x80000000, packet + 12, "stamp"},
                                             {packet + 20, 1001, packet + 20, "1001 bytes of a packet of 1000"},
                                             {packet + 20, 900, packet + 20, "900 bytes of a packet of 1000"},
                                             {packet, 0x0A0D0D0A, packet, "second section"}}) {
        std::string bad = file;
        put(bad, f.at, f.word);
        CAPTURE(f.what);
        const std::string error = read(bad).error;
        CHECK_THAT(error, Contains(f.what));
        CHECK_THAT(error, Contains("a file: at byte " + std::to_string(f.told_at) + ":"));
    }
    // Stamps of another resolution.
    std::string slow = file;
    const std::size_t resolution = slow.find('\x09', interface + 24);
    slow.at(resolution) = 6;
    CHECK_THAT(read(slow).error, Contains("nanoseconds"));
}
