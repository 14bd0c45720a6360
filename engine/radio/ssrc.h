// SPDX-License-Identifier: MIT
// Numbers for channels and groups for clients, derived from what they are for, so that two programs that want the same
// channel name it alike: as ka9q-python 3.14.2 derives them.
#pragma once

#include <cstdint>
#include <string_view>

namespace hawser::radio {

struct SsrcInputs {
    double frequency_hz = 0;
    std::string_view preset;
    std::uint32_t samprate = 0;
    bool agc = false;
    double gain_db = 0;
    std::string_view destination;  // as written; empty: none
    std::uint32_t encoding = 0;
    std::string_view radiod_host;  // as written; empty: none
};
// 31 bits; 0 where the hash is 0, which is no channel.
[[nodiscard]] std::uint32_t allocate_ssrc(const SsrcInputs& inputs);

// A data group of a client's own, in 239/8. Host byte order.
[[nodiscard]] std::uint32_t group_of_client(std::string_view id, std::string_view radiod_host);

}  // namespace hawser::radio
