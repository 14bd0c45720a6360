// SPDX-License-Identifier: MIT
// What decoding one STATUS costs: real packets of 277 to 281 bytes, one after the other, on one thread. Counts the
// allocations of the measured part, which must be none. status_instructions.sh beside this counts its instructions.
// usage: radio-status [PACKETS]
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <vector>

#include "engine/radio/roster.h"
#include "engine/radio/status.h"
#include "tests/vectors/hex.h"
#include "tests/vectors/radiod.h"

namespace {
std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace hawser;

int main(int argc, char** argv) {
    const long packets = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 4'000'000;
    namespace golden = vectors::radiod;
    const std::vector<std::vector<std::uint8_t>> inputs{vectors::from_hex(golden::created_usb.hex),
                                                        vectors::from_hex(golden::am_polled.hex),
                                                        vectors::from_hex(golden::mulaw.hex)};
    std::size_t bytes = 0;
    for (const auto& input : inputs) bytes += input.size();
    radio::Status status;
    std::uint64_t hash = 0;
    const std::size_t before = allocations;
    const std::clock_t begun = std::clock();
    for (long i = 0; i < packets; ++i) {
        if (radio::decode_status(inputs[static_cast<std::size_t>(i) % inputs.size()], status)) return 1;
        hash = hash * 31 + status.channel.ssrc + status.output.samprate;
    }
    const double seconds = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
    const std::size_t made = allocations - before;
    std::printf(
        "{\"packets\":%ld,\"bytes_mean\":%zu,\"ns_per_packet\":%.1f,\"packets_per_second\":%.0f,\"allocations\":%zu,"
        "\"hash\":\"%016llx\"}\n",
        packets, bytes / inputs.size(), seconds * 1e9 / static_cast<double>(packets),
        static_cast<double>(packets) / (seconds > 0 ? seconds : 1e-9), made, static_cast<unsigned long long>(hash));
    return made == 0 ? 0 : 1;
}
