// SPDX-License-Identifier: MIT
// The stand-in radiod behind real sockets: listens on its status group, answers, and sends RTP, on the interface that
// it is told (loopback unless), until it is ended by a signal. For tests in network namespaces; needs multicast on the
// interface and a route to 224.0.0.0/4. Prints one line, `ready PORT`, when it hears the group.
// usage: radiod-stand-in [--status NAME] [--data NAME] [--interface ADDRESS] [--carrier HZ] [--lifetime BLOCKS]
//                        [--preset NAME] [--media off] [--port N]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include "engine/radio/address.h"
#include "tests/radio/stand_in.h"
#ifdef HAWSER_HAS_AUDIO
#include <opus/opus.h>

#include <map>
#endif

using namespace hawser;

namespace {

Instant clock_now(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return Instant{std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
}
[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}
sockaddr_in address_of(const Endpoint& e) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(e.v4());
    a.sin_port = htons(e.port);
    return a;
}
template <class T>
void set(int fd, int level, int option, const T& value) {
    if (setsockopt(fd, level, option, &value, sizeof value) != 0) fail("setsockopt");
}

#ifdef HAWSER_HAS_AUDIO
// An encoder for each channel, for ever: radiods of tests are short-lived.
std::vector<std::uint8_t> encode_opus(std::uint32_t ssrc, std::uint32_t channels, std::span<const float> samples) {
    static std::map<std::pair<std::uint32_t, std::uint32_t>, OpusEncoder*> encoders;
    OpusEncoder*& encoder = encoders[{ssrc, channels}];
    const auto count = static_cast<int>(channels);
    if (encoder == nullptr) encoder = opus_encoder_create(48'000, count, OPUS_APPLICATION_AUDIO, nullptr);
    std::vector<std::uint8_t> packet(1440);
    const int size = opus_encode_float(encoder, samples.data(), static_cast<int>(samples.size()) / count, packet.data(),
                                       static_cast<opus_int32>(packet.size()));
    packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return packet;
}
#endif

}  // namespace

int main(int argc, char** argv) {
    radio_tests::StandInOptions options;
    in_addr interface { htonl(INADDR_LOOPBACK) };
    std::uint16_t port = radio::status_port;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view key = argv[i];
        const char* value = argv[i + 1];
        if (key == "--status")
            options.status_group = Endpoint::from_v4(radio::status_group_of_name(value), 0);
        else if (key == "--port")
            port = static_cast<std::uint16_t>(std::atoi(value));
        else if (key == "--data")
            options.data_group = Endpoint::from_v4(radio::group_of_name(value), 5004);
        else if (key == "--carrier")
            options.carrier_hz = std::atof(value);
        else if (key == "--lifetime")
            options.lifetime = static_cast<std::uint32_t>(std::atol(value));
        else if (key == "--media")
            options.media = std::string_view(value) != "off";
        else if (key == "--preset")
            options.preset = value;
        else if (key != "--interface" || inet_aton(value, &interface) == 0)
            return 2;
    }
    options.status_group.port = port;
    const int in = socket(AF_INET, SOCK_DGRAM, 0);
    const int out = socket(AF_INET, SOCK_DGRAM, 0);
    if (in < 0 || out < 0) fail("socket");
    set(in, SOL_SOCKET, SO_REUSEADDR, 1);
    set(in, SOL_SOCKET, SO_REUSEPORT, 1);
    const sockaddr_in group = address_of(options.status_group);
    if (bind(in, reinterpret_cast<const sockaddr*>(&group), sizeof group) != 0) fail("bind");
    set(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, ip_mreq{group.sin_addr, interface});
    set(out, IPPROTO_IP, IP_MULTICAST_IF, interface);
    set(out, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
    set(out, IPPROTO_IP, IP_MULTICAST_TTL, 1);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr = interface;
    socklen_t length = sizeof own;
    if (bind(out, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) fail("bind");
    if (getsockname(out, reinterpret_cast<sockaddr*>(&own), &length) != 0) fail("getsockname");
    options.source_port = ntohs(own.sin_port);

    const Instant start = clock_now(CLOCK_MONOTONIC);
    // GPS time at the monotonic clock's zero: UTC, the leap seconds, and 1980 for 1970.
    const std::int64_t unix_at_zero = clock_now(CLOCK_REALTIME).ns - start.ns;
    options.gps_time_at_zero =
        static_cast<std::uint64_t>(unix_at_zero + (18 - std::int64_t{315'964'800}) * 1'000'000'000);
#ifdef HAWSER_HAS_AUDIO
    options.encode_opus = encode_opus;
#endif
    radio_tests::StandIn radiod(options, start);
    std::printf("ready %u\n", static_cast<unsigned>(options.source_port));
    std::fflush(stdout);
    std::vector<std::uint8_t> room(65'536);
    while (true) {
        const Duration wait = radiod.next_deadline() - clock_now(CLOCK_MONOTONIC);
        pollfd fd{in, POLLIN, 0};
        const timespec limit{0, wait.ns > 0 ? static_cast<long>(wait.ns) : 0};
        if (ppoll(&fd, 1, &limit, nullptr) < 0 && errno != EINTR) fail("ppoll");
        if ((fd.revents & POLLIN) != 0) {
            const ssize_t got = recv(in, room.data(), room.size(), 0);
            if (got > 0)
                radiod.on_command(Bytes(room).first(static_cast<std::size_t>(got)), clock_now(CLOCK_MONOTONIC));
        }
        radiod.run(clock_now(CLOCK_MONOTONIC));
        for (const auto& sent : radiod.take_sent()) {
            const sockaddr_in to = address_of(sent.to);
            // A full buffer drops the packet, as radiod's does.
            static_cast<void>(sendto(out, sent.bytes.data(), sent.bytes.size(), MSG_DONTWAIT,
                                     reinterpret_cast<const sockaddr*>(&to), sizeof to));
        }
    }
}
