// SPDX-License-Identifier: MIT
// radiod's packets of any fields and values, by seed: what is built is read back in its order, bit by bit, and a packet
// that is cut anywhere gives the elements before the cut, never another.
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/random.h"
#include "engine/wire/radio_tlv.h"

using namespace hawser;
using namespace hawser::wire;

namespace {

struct Written {
    RadioField field{};
    std::variant<std::uint64_t, std::int64_t, bool, float, double, std::string, Endpoint> value;
};

// Of every magnitude: lengths of 0 to 8 bytes are equally likely.
std::uint64_t any_bits(Random& random) {
    const std::uint32_t bytes = random.below(9);
    return bytes == 0 ? 0 : random.next() >> (64 - 8 * bytes);
}

Written any_element(Random& random) {
    Written w{static_cast<RadioField>(1 + random.below(radio_field_count - 1)), any_bits(random)};
    switch (random.below(7)) {
        case 0: break;
        case 1: w.value = -static_cast<std::int64_t>(any_bits(random) >> 1); break;
        case 2: w.value = random.below(2) == 1; break;
        case 3:
            w.value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next() & 0xFF7F'FFFFu));
            break;  // no NaN
        case 4: w.value = std::bit_cast<double>(random.next() & 0xFFEF'FFFF'FFFF'FFFFu); break;
        case 5:
            w.value = std::string(random.below(random.below(4) == 0 ? 300 : 20), static_cast<char>(random.below(256)));
            break;
        default: {
            Endpoint e =
                Endpoint::from_v4(static_cast<std::uint32_t>(random.next()), static_cast<std::uint16_t>(random.next()));
            if (random.below(2) == 1)
                for (std::uint8_t& byte : e.address) byte = static_cast<std::uint8_t>(1 + random.below(255));
            w.value = e;
        }
    }
    return w;
}

void write(RadioBuilder& builder, const Written& w) {
    if (const auto* v = std::get_if<std::uint64_t>(&w.value)) builder.integer(w.field, *v);
    if (const auto* v = std::get_if<std::int64_t>(&w.value)) builder.signed_integer(w.field, *v);
    if (const auto* v = std::get_if<bool>(&w.value)) builder.boolean(w.field, *v);
    if (const auto* v = std::get_if<float>(&w.value)) builder.float32(w.field, *v);
    if (const auto* v = std::get_if<double>(&w.value)) builder.float64(w.field, *v);
    if (const auto* v = std::get_if<std::string>(&w.value)) builder.text(w.field, *v);
    if (const auto* v = std::get_if<Endpoint>(&w.value)) builder.socket(w.field, *v);
}

bool is_same(const Written& w, const RadioElement& e) {
    if (e.field != static_cast<std::uint8_t>(w.field)) return false;
    if (const auto* v = std::get_if<std::uint64_t>(&w.value)) return radio_integer(e.value) == *v && e.bits == *v;
    // 32 bits of a negative number are never sent: it has eight bytes.
    if (const auto* v = std::get_if<std::int64_t>(&w.value)) return radio_signed(e.value) == *v;
    if (const auto* v = std::get_if<bool>(&w.value)) return radio_bool(e.value) == *v;
    if (const auto* v = std::get_if<float>(&w.value)) return radio_float(e.value) == double{*v};
    if (const auto* v = std::get_if<double>(&w.value)) return radio_double(e.value) == *v;
    if (const auto* v = std::get_if<std::string>(&w.value)) return radio_text(e.value) == *v;
    return radio_socket(e.value) == std::get<Endpoint>(w.value);
}

}  // namespace

TEST_CASE("whatever a radio packet is built of is read back") {
    const std::uint64_t seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{301}));
    CAPTURE(seed);
    Random random(seed);
    std::array<std::uint8_t, 1500> room{};
    RadioBuilder builder(room, random.below(2) == 0 ? RadioPacketType::status : RadioPacketType::command);
    std::vector<Written> written;
    std::vector<std::size_t> ends{1};  // of each element, behind the type
    for (std::uint32_t n = random.below(20); n > 0; --n) {
        const Written w = any_element(random);
        const RadioBuilder before = builder;
        write(builder, w);
        if (builder.overflowed()) {
            builder = before;
            break;
        }
        written.push_back(w);
        ends.push_back(builder.size());
    }
    const auto packet = builder.finish();
    REQUIRE(packet);
    const std::size_t cut =
        random.below(3) == 0 ? random.below(static_cast<std::uint32_t>(packet->size())) : packet->size();
    auto reader = RadioReader::over(packet->first(cut));
    REQUIRE(bool(reader) == (cut != 0));
    if (!reader) return;
    std::size_t whole = 0;
    for (RadioElement e; reader->next(e); ++whole) {
        REQUIRE(whole < written.size());
        CAPTURE(whole);
        CHECK(is_same(written[whole], e));
    }
    std::size_t wanted = 0;
    while (wanted < written.size() && ends[wanted + 1] <= cut) ++wanted;
    CHECK(whole == wanted);
    CHECK(reader->has_end_mark() == (cut == packet->size()));
    CHECK(reader->is_damaged() == (cut != packet->size() && ends[wanted] != cut));
}
