// SPDX-License-Identifier: MIT
// Group ids that need no memory until they are used, in the manner of TCP's SYN cookies (RFC 4987, 3.6).
//
// REG1 can come from a forged address, so it must cost the receiver nothing that lasts. The half of the id that is
// ours says all there is to know of it: it is a function of our secret, the sender's half, the address that asked and
// the time. Who sends it back in a REG2 has seen our answer, so the address was real; only then there is a group.
//
//   id   0 sender's half | 128 tag | 144 body                  to a REG1 without an offer
//        0 sender's half | 128 answer | 192 tag | 208 body     to one with an offer that we take (wire/extension.h)
//   tag  = SipHash(key A; sender's half, answer, address, period of time)   16 bytes
//   body = stream(key B, tag) xor (address, zeros)                          to the end
//
// It does not matter which link's REG2 comes first, as senders send it on all of them at once; hence the address is in
// the id. It is masked, since a link's id travels over the networks of all the others.
//
// Every public sender takes such an id, since none looks into our half. REG1 repeated, with the same half from the same
// address, has the same answer within a period, so it does not matter which of two answers a sender takes; after one
// that answers are two, but both are good, and a group is what the sender's REG2s make of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"
#include "engine/base/secret_random.h"
#include "engine/base/siphash.h"
#include "engine/base/time.h"
#include "engine/wire/extension.h"
#include "engine/wire/srtla.h"

namespace hawser::bond {

class GroupIds {
public:
    // An id is good in the period it was made in and in the next. A sender waits 4 s for REG2 and sends its own within
    // another second (BELABOX/srtla 37862da, irlserver/srtla_send 86b90aa); the rest is so that few repeats straddle.
    static constexpr Duration period{60'000'000'000};

    explicit GroupIds(SecretRandom& secret);

    // The answer to a REG1; `answer` to the offer in it, absent where there is none or we take nothing of it.
    [[nodiscard]] wire::GroupKey make(Bytes sender_half, const std::optional<wire::Extension>& answer,
                                      const Endpoint& from, Instant now) const noexcept;
    // Where the REG1 came from that was answered with this id; absent when we did not make it, or long ago.
    [[nodiscard]] std::optional<Endpoint> registrant(Bytes id, Instant now) const noexcept;

private:
    // The tag's input but for the period, of an id with everything before the tag in place.
    [[nodiscard]] SipHash::Stream said(Bytes open, std::size_t tag_at, const Endpoint& from) const noexcept;
    // Masks or unmasks: applies the stream of the id's own tag to whole blocks of its body.
    void apply_stream(wire::GroupKey& id, std::size_t tag_at, std::size_t from, std::size_t to) const noexcept;

    SipHash tags_;
    SipHash streams_;
};

// In constant time for a given length, so that answers do not tell how much of a guessed id was right.
[[nodiscard]] bool same_bytes(const std::uint8_t* a, const std::uint8_t* b, std::size_t count);

}  // namespace hawser::bond
