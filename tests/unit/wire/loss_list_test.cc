// SPDX-License-Identifier: MIT
// Loss lists as libsrt writes them, and hostile ones.
#include "engine/wire/loss_list.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <vector>

#include "engine/wire/srt.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/libsrt.h"
#include "tests/vectors/srtla.h"

using namespace hawser;
using namespace hawser::wire;
using vectors::from_hex;
namespace libsrt = vectors::libsrt;

namespace {

constexpr std::int32_t limit = 1000;

std::vector<std::uint32_t> lost_in(const char* nak) {
    const auto bytes = from_hex(nak);
    const auto packet = SrtPacket::over(bytes);
    REQUIRE(packet);
    REQUIRE(packet->control_type() == SrtControl::nak);
    const auto list = LossList::over(packet->body(), limit);
    REQUIRE(list);
    std::vector<std::uint32_t> lost;
    list->each([&](Seq31 sequence) { lost.push_back(sequence.raw()); });
    CHECK(list->count() == static_cast<std::int32_t>(lost.size()));
    return lost;
}

std::vector<std::uint8_t> body_of(std::initializer_list<std::uint32_t> words) {
    std::vector<std::uint8_t> body(words.size() * 4);
    std::size_t at = 0;
    for (const std::uint32_t word : words) {
        store_be32(body.data() + at, word);
        at += 4;
    }
    return body;
}

bool is_refused(std::initializer_list<std::uint32_t> words) { return !LossList::over(body_of(words), limit); }

}  // namespace

TEST_CASE("libsrt's loss reports name exactly the packets that were dropped", "[loss_list]") {
    using Lost = std::vector<std::uint32_t>;
    constexpr std::uint32_t first = 0x1214CFDA;
    CHECK(lost_in(libsrt::nak_single) == Lost{first + 49});
    CHECK(lost_in(libsrt::nak_range) == Lost{first + 125, first + 126, first + 127});
    constexpr std::uint32_t other = 0x5D71A6A8;
    CHECK(lost_in(libsrt::nak_mixed) == Lost{other + 49, other + 119, other + 121, other + 125, other + 126,
                                             other + 127, other + 199, other + 201, other + 203, other + 204,
                                             other + 205, other + 206, other + 207, other + 208});
}

TEST_CASE("a range and a single are listed in order", "[loss_list]") {
    CHECK(lost_in(vectors::srtla::nak_700_to_705_and_900) ==
          std::vector<std::uint32_t>{700, 701, 702, 703, 704, 705, 900});
}

TEST_CASE("a range may pass the end of the number space", "[loss_list]") {
    const auto body = body_of({0xFFFF'FFFE, 0x0000'0001});
    const auto list = LossList::over(body, limit);
    REQUIRE(list);
    std::vector<std::uint32_t> lost;
    list->each([&](Seq31 sequence) { lost.push_back(sequence.raw()); });
    CHECK(lost == std::vector<std::uint32_t>{0x7FFF'FFFE, 0x7FFF'FFFF, 0, 1});
}

TEST_CASE("a malformed list is refused whole", "[loss_list]") {
    CHECK(is_refused({}));
    CHECK(is_refused({0x8000'0005}));               // a first without a last
    CHECK(is_refused({7, 0x8000'0005}));            // the same at the end of a good list
    CHECK(is_refused({0x8000'0005, 0x8000'0009}));  // a last with its top bit
    CHECK(is_refused({0x8000'0009, 5}));            // backwards
    CHECK(is_refused({0x8000'0000, 0x4000'0000}));  // half the space: backwards
    CHECK(is_refused({0x8000'0000, 0x7FFF'FFFF}));  // one behind: backwards
    const auto good = body_of({5, 0x8000'0007, 9});
    for (std::size_t cut = 1; cut < 4; ++cut) CHECK_FALSE(LossList::over(Bytes(good).first(good.size() - cut), limit));
}

TEST_CASE("a list may ask for as much as the limit and no more", "[loss_list]") {
    CHECK(LossList::over(body_of({0x8000'0001, 1000}), limit));
    CHECK(is_refused({0x8000'0001, 1001}));
    CHECK(is_refused({0x8000'0001, 1000, 5000}));
    // A range of one, written as a range.
    const auto body = body_of({0x8000'0005, 5});
    REQUIRE(LossList::over(body, limit));
    CHECK(LossList::over(body, limit)->count() == 1);
    // Many ranges whose sum would pass 2^31.
    CHECK(is_refused({0x8000'0000, 0x3FFF'FFFE, 0x8000'0000, 0x3FFF'FFFE, 0x8000'0000, 0x3FFF'FFFE}));
}
