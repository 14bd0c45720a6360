// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <set>

#include "engine/base/keyed_hash.h"
#include "engine/base/secret_random.h"
#include "engine/base/siphash.h"

using namespace hawser;

TEST_CASE("the secret stream is ChaCha20's") {
    // RFC 8439 appendix A.1, vectors 1 and 2: zero key, zero nonce, blocks 0 and 1.
    SecretRandom random(Entropy{});
    std::array<std::uint8_t, 96> out{};
    random.fill(out);
    const std::array<std::uint8_t, 16> block0{0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                              0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    const std::array<std::uint8_t, 16> block1{0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
                                              0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d};
    CHECK(std::equal(block0.begin(), block0.end(), out.begin()));
    CHECK(std::equal(block1.begin(), block1.end(), out.begin() + 64));
}

TEST_CASE("the secret stream depends on key and nonce, and on how much was taken only by its place") {
    Entropy key{}, nonce{};
    key[31] = 1;
    nonce[43] = 1;
    CHECK(SecretRandom(Entropy{}).next() != SecretRandom(key).next());
    CHECK(SecretRandom(Entropy{}).next() != SecretRandom(nonce).next());
    SecretRandom whole(key), pieces(key);
    std::array<std::uint8_t, 150> a{}, b{};
    whole.fill(a);
    for (std::size_t at = 0; at < b.size(); at += 30) pieces.fill(MutableBytes(b).subspan(at, 30));
    CHECK(a == b);
}

TEST_CASE("a keyed hash spreads neighbours, and differently under each key") {
    SecretRandom secret(Entropy{});
    const auto hash = [&] {
        const std::uint64_t a = secret.next(), b = secret.next();
        return KeyedHash(a, b, secret.next());
    };
    const KeyedHash one = hash(), two = hash();
    std::set<std::uint64_t> low;
    bool same = true;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const Endpoint e = Endpoint::from_v4(0x0A000000 + i / 10, static_cast<std::uint16_t>(1000 + i % 10));
        low.insert(one.of(e) & 0xFFFFF);
        same = same && one.of(e) == two.of(e);
    }
    CHECK(low.size() > 990);
    CHECK_FALSE(same);
}

TEST_CASE("SipHash is SipHash-2-4 with 128 bits") {
    // Key 00 01 .. 0f, input 00 01 .. of each length; values by OpenSSL 3.0 (`openssl mac ... size:16 SIPHASH`), of
    // which the shorter ones are also in the authors' list.
    const SipHash hash(0x0706'0504'0302'0100, 0x0F0E'0D0C'0B0A'0908);
    struct Row {
        std::size_t bytes;
        std::uint64_t first, second;  // as the bytes of the value read in order
    };
    std::array<std::uint8_t, 160> input{};
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i);
    for (const Row& row :
         {Row{0, 0xA381'7F04'BA25'A8E6, 0x6DF6'7214'C755'0293}, Row{1, 0xDA87'C1D8'6B99'AF44, 0x3476'5911'9B22'FC45},
          Row{7, 0xA1F1'EBBE'D8DB'C153, 0xC0B8'4AA6'1FF0'8239}, Row{8, 0x3B62'A9BA'6258'F561, 0x0F83'E264'F314'97B4},
          Row{15, 0x5493'E999'33B0'A811, 0x7E08'EC0F'97CF'C3D9}, Row{63, 0x5150'D177'2F50'834A, 0x503E'069A'973F'BD7C},
          Row{160, 0x5BD6'2903'89D3'782F, 0xDEE2'BAD6'A961'DD56}}) {
        const SipHash::Value value = hash.of(Bytes(input).first(row.bytes));
        std::array<std::uint8_t, 16> bytes{};
        for (std::size_t i = 0; i < 16; ++i) bytes[i] = static_cast<std::uint8_t>(value[i / 8] >> (8 * (i % 8)));
        CHECK(load_be64(bytes.data()) == row.first);
        CHECK(load_be64(bytes.data() + 8) == row.second);
    }
    // Piece by piece it is the same, and a copy goes its own way.
    SipHash::Stream begun = hash.stream();
    begun.add(Bytes(input).first(56));
    SipHash::Stream other = begun;
    other.add(0x3F3E'3D3C'3B3A'3938);
    CHECK(other.end() == hash.of(Bytes(input).first(64)));
    CHECK(begun.end(Bytes(input).subspan(56, 7)) == hash.of(Bytes(input).first(63)));
}
