// SPDX-License-Identifier: MIT
// A scripted SRTLA receiver: the reference's algorithm (BELABOX/srtla 37862da) with a switch for each habit of the
// others, and for each misfortune that a sender must survive. It notes all it hears, so a test can ask what came.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/sim/port.h"
#include "engine/sim/srt_packets.h"
#include "engine/wire/srtla.h"

namespace hawser::test {

struct ReceiverScript {
    enum class Echo { verbatim, bare_only, never };

    bool pads = false;           // short replies zero-filled to 32 bytes: irlserver, OpenIRL 1.0
    bool pads_srt = false;       // and so are SRT's own small packets
    bool acks = true;            // false: e04/go-srtla
    Echo echo = Echo::verbatim;  // bare_only: yannismate/srtla-rs
    bool broadcasts_naks = true;
    bool repeats_reg2 = false;  // true: a repeated REG1 gets the same REG2; the public receivers refuse it
    unsigned reg2_lost = 0;     // so many next REG2 replies never leave
    unsigned reg2_foreign = 0;  // so many next REG2 replies have another first half
    unsigned reg2_short = 0;    // so many next REG2 replies are cut to 200 bytes
    unsigned refusals = 0;      // so many next registrations are answered REG_ERR
    std::optional<wire::SrtlaType> reg1_answer;  // every REG1 gets this and no more
};

class ScriptedReceiver {
public:
    struct Heard {
        Instant at;
        Endpoint from;
        std::uint16_t type = 0;
        sim::Packet bytes;
    };
    struct Link {
        Endpoint address;
        Instant heard_at;
        std::uint64_t data = 0;
        std::vector<wire::Seq31> unacknowledged;
    };
    struct Group {
        wire::GroupKey key{};
        Endpoint creator;
        Endpoint last;  // where the last SRT packet came from
        Instant created_at;
        std::vector<Link> links;
        std::unique_ptr<sim::Port> server_port;
    };

    ScriptedReceiver(sim::World& world, sim::HostId host, const Endpoint& listen, const Endpoint& server);
    ~ScriptedReceiver() { world_.remove_program(this); }

    ReceiverScript script;

    // Acts. Links are named by the sender's address; its port does not matter.
    void restart() { groups_.clear(); }
    void forget(const Endpoint& source);
    void set_deaf(bool deaf) { deaf_ = deaf; }  // a hung process: takes everything, answers nothing
    bool send_to(const Endpoint& source, Bytes bytes);
    void send_to_all(Bytes bytes);

    // Facts.
    [[nodiscard]] const std::vector<std::unique_ptr<Group>>& groups() const { return groups_; }
    // Members of the newest group.
    [[nodiscard]] std::size_t members() const { return groups_.empty() ? 0 : groups_.back()->links.size(); }
    [[nodiscard]] const Link* link(const Endpoint& source) const;
    [[nodiscard]] const std::vector<Heard>& heard() const { return heard_; }  // SRTLA packets only
    [[nodiscard]] std::size_t count(wire::SrtlaType type, Instant since = {}) const;
    [[nodiscard]] std::size_t count(wire::SrtlaType type, const Endpoint& source, Instant since = {}) const;
    [[nodiscard]] std::uint64_t groups_made() const { return groups_made_; }
    [[nodiscard]] std::uint64_t unregistered_srt() const { return unregistered_srt_; }
    [[nodiscard]] std::uint64_t acks_sent() const { return acks_sent_; }

    // Program.
    [[nodiscard]] Instant due() const;
    void run(Instant now);

private:
    void on_datagram(const sim::Datagram& d, Instant now);
    void on_reg1(const sim::Datagram& d, Instant now);
    void on_reg2(const sim::Datagram& d, Instant now);
    void on_srt(const sim::Datagram& d, Group& group, Link& link);
    void on_server(Group& group, const sim::Datagram& d);
    void reply(const Endpoint& to, wire::SrtlaType type);
    void send_reg2(const Endpoint& to, wire::GroupKey key);
    [[nodiscard]] Group* group_of(const Endpoint& address, Link*& link);

    sim::World& world_;
    sim::HostId host_;
    Endpoint server_;
    sim::Port port_;
    std::vector<std::unique_ptr<Group>> groups_;
    std::vector<Heard> heard_;
    Instant sweep_at_ = never;
    bool deaf_ = false;
    std::uint64_t groups_made_ = 0;
    std::uint64_t unregistered_srt_ = 0;
    std::uint64_t acks_sent_ = 0;
};

}  // namespace hawser::test
