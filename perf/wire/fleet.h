// SPDX-License-Identifier: MIT
// Many SRTLA senders with several links each, in one socket: the source address of link l of group g is
// 127.(1+l).(g/256).(g%256), chosen per packet (IP_PKTINFO), all on one port. So thousands of links cost one
// descriptor, and one poll hears them all.
// Each group registers (REG2 -> NGP, REG1 -> REG2, REG2 on every link -> REG3), opens an SRT session through the
// receiver under test, and then sends data over its links in rotation.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/wire/srtla.h"
#include "perf/wire/srt_packets.h"
#include "perf/wire/udp.h"

namespace hawser::perf {

// Group g's SRT sequence numbers start here, its caller's socket id is first_caller_id + g.
inline constexpr std::uint32_t fleet_initial_sequence = 1'000'000;
inline constexpr std::uint32_t first_caller_id = 0x1000'0000;

class Fleet {
public:
    static constexpr unsigned batch_max = 64;

    // With registration false the receiver under test knows no SRTLA, and groups are told apart by address alone.
    Fleet(std::uint16_t srtla_port, unsigned groups, unsigned links, bool registration);
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // One step of opening; true once every session stands.
    bool open(std::int64_t now);
    [[nodiscard]] unsigned open_groups() const { return open_groups_; }
    // Packet i belongs to group i % groups, is its packet i / groups, and goes over link (i / groups) % links.
    void send(std::uint64_t index, unsigned count, std::int64_t now);
    void drain();

    [[nodiscard]] std::uint64_t returned() const { return returned_; }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

private:
    enum class Phase : std::uint8_t { probe, create, join, induction, conclusion, open };
    struct Group {
        Phase phase = Phase::probe;
        std::uint32_t joined = 0;  // bit per link
        std::uint32_t cookie = 0;
        std::uint32_t destination = 0;
        std::int64_t said = 0;
        wire::GroupKey key{};
    };
    struct alignas(8) Source {
        std::uint8_t control[40];  // one cmsg with an in_pktinfo
    };
    void say(unsigned group);
    void on_packet(Bytes packet, std::uint32_t to);
    void on_handshake(Group& group, Bytes packet);
    void advance(Group& group, Phase phase);
    void put(Bytes packet, unsigned group, unsigned link);
    void set_source(unsigned slot, unsigned group, unsigned link);
    void flush(unsigned count);

    unsigned links_;
    bool registration_;
    Socket socket_;
    sockaddr_in receiver_;
    std::vector<Group> groups_;
    unsigned open_groups_ = 0;
    unsigned next_ = 0;  // whose turn it is to be opened
    std::uint64_t returned_ = 0;
    std::uint64_t refused_ = 0;

    std::vector<std::uint8_t> storage_;
    std::array<iovec, batch_max> parts_{};
    std::array<mmsghdr, batch_max> messages_{};
    std::array<Source, batch_max> sources_{};

    std::vector<std::uint8_t> in_storage_;
    std::array<iovec, batch_max> in_parts_{};
    std::array<mmsghdr, batch_max> in_messages_{};
    std::array<Source, batch_max> in_destinations_{};
};

}  // namespace hawser::perf
