// SPDX-License-Identifier: MIT
// Captures: what is a datagram in them, and what is said of the rest. tests/io/radio.py shows each type of link.
#include "platform/app/radio/capture.h"

#include <catch2/catch.hpp>
#include <memory>

#include "tests/vectors/hex.h"

using namespace hawser;
using namespace hawser::app;
using vectors::from_hex;

namespace {

// Little-endian, in us; frames begin with IP (link type 101).
const std::string head =
    "d4c3b2a1"
    "02000400"
    "0000000000000000"
    "00000400"
    "65000000";
// At 1970-01-01 00:00:00 UTC; 127.0.0.1:44717 to 239.108.155.32:5006; a poll of all.
const std::string poll = "010104111111111204ffffffff00";
const std::string datagram =
    "4500002a0000000001110000"
    "7f000001"
    "ef6c9b20"
    "aead138e00160000" +
    poll;
const std::string at_epoch =
    "0000000000000000"
    "2a000000"
    "2a000000";

struct Read {
    explicit Read(const std::string& hex) : bytes(from_hex(hex)) {
        file.reset(::fmemopen(bytes.data(), bytes.size(), "r"));
        REQUIRE(file);
        reader = std::make_unique<CaptureReader>(file.get());
    }
    struct Close {
        void operator()(std::FILE* f) const { std::fclose(f); }
    };
    std::vector<std::uint8_t> bytes;
    std::unique_ptr<std::FILE, Close> file;
    std::unique_ptr<CaptureReader> reader;
};

}  // namespace

TEST_CASE("a datagram of a capture has its ends and its time, be that the first second of all", "[capture]") {
    Read r(head + at_epoch + datagram);
    CHECK(r.reader->is_capture());
    const auto d = r.reader->next();
    REQUIRE(d);
    CHECK(d->unix_ns == 0);
    CHECK(d->source == Endpoint::from_v4(0x7F00'0001, 44'717));
    CHECK(d->destination == Endpoint::from_v4(0xEF6C'9B20, 5006));
    CHECK(std::vector<std::uint8_t>(d->bytes.begin(), d->bytes.end()) == from_hex(poll));
    CHECK_FALSE(r.reader->next());
    CHECK(r.reader->complaint().empty());
    CHECK(r.reader->passed_over() == 0);
}

TEST_CASE("what is no capture is one packet, without ends and without a time", "[capture]") {
    Read r(poll);
    CHECK_FALSE(r.reader->is_capture());
    const auto d = r.reader->next();
    REQUIRE(d);
    CHECK_FALSE(d->unix_ns);
    CHECK(d->bytes.size() == 14);
    CHECK_FALSE(r.reader->next());
    CHECK(r.reader->complaint().empty());
}

TEST_CASE("frames without a whole datagram are passed over and counted", "[capture]") {
    std::string first_fragment = datagram, tcp = datagram, longer = datagram, cut_header = datagram;
    first_fragment.replace(12, 4, "2000");
    tcp.replace(18, 2, "06");
    longer.replace(48, 4, "0017");
    cut_header.replace(0, 2, "4f");
    std::string all = head;
    for (const std::string& frame : {first_fragment, tcp, datagram, longer, cut_header}) all += at_epoch + frame;
    Read r(all);
    CHECK(r.reader->next());
    CHECK_FALSE(r.reader->next());
    CHECK(r.reader->passed_over() == 4);
    CHECK(r.reader->complaint().empty());
}

TEST_CASE("a capture cut anywhere gives what is whole, and says that it ends inside", "[capture]") {
    const std::string one = head + at_epoch + datagram;
    const std::string two = one + at_epoch + datagram;
    for (std::size_t bytes = 4; bytes <= two.size() / 2; ++bytes) {
        INFO(bytes << " bytes");
        Read r(two.substr(0, 2 * bytes));
        CHECK(r.reader->is_capture());
        std::size_t whole = 0;
        while (r.reader->next()) ++whole;
        CHECK(whole == (bytes >= two.size() / 2 ? 2 : bytes >= one.size() / 2 ? 1 : 0));
        const bool is_between = bytes == head.size() / 2 || bytes == one.size() / 2 || bytes == two.size() / 2;
        const std::string complaint = bytes < head.size() / 2 ? "the capture ends in its head"
                                      : is_between            ? ""
                                                              : "the capture ends inside a frame";
        CHECK(r.reader->complaint() == complaint);
    }
}

TEST_CASE("a frame longer than any, and another format, are refused in words", "[capture]") {
    Read damaged(head +
                 "0000000000000000"
                 "01000400"
                 "2a000000" +
                 datagram);
    CHECK_FALSE(damaged.reader->next());
    CHECK(damaged.reader->complaint() == "the capture is damaged");
    Read pcapng("0a0d0d0a" + std::string(40, '0'));
    CHECK_FALSE(pcapng.reader->next());
    CHECK(pcapng.reader->complaint() == "it is a pcapng file; `editcap -F pcap` makes a pcap of it");
    // 802.11 with a radio's head; the upper bits are of frame checksums.
    Read radiotap(head.substr(0, 40) + "7f000014" + at_epoch + datagram);
    CHECK_FALSE(radiotap.reader->next());
    CHECK(radiotap.reader->complaint().find("link type 127, which is not read here") != std::string::npos);
    CHECK(radiotap.reader->passed_over() == 0);
}
