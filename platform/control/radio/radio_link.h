// SPDX-License-Identifier: MIT
// Joins the control plane's centre (radio::Service, which is pure) to sockets and the loop: what comes from the status
// groups goes in, what is to be sent goes out by the group's interface, and the loop is woken for a packet or for the
// service's own next deadline, and for nothing else. The sockets live as long as this does. Control thread only.
// Packets leave by the interface that was named, or where the route to the group goes now; as long as a named one is
// not there nothing is sent, which is told once, and once when it is back. What waits for its next try is tried when
// interfaces, addresses or routes change, and what is wanted is verified when the host has slept: lifetimes went on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/radio/service.h"
#include "platform/control/listeners.h"
#include "platform/control/loop.h"
#include "platform/control/radio/group_receiver.h"
#include "platform/control/radio/state_cache.h"

namespace hawser::control {

class RadioLink {
public:
    using Handler = std::function<void(const radio::RadioEvent&)>;
    using StatusHandler = std::function<void(radio::RadioId, const Endpoint& source, const radio::Status&)>;
    using Notice = std::function<void(const std::string&)>;
    struct Figures {
        std::uint64_t sent = 0;
        std::uint64_t send_failures = 0;
        std::uint64_t wakes = 0;    // by the timer
        std::uint64_t foreign = 0;  // statuses of other radiods on a data group, dropped
    };

    // TTL of commands: 0 stays on this host, 1 on its network.
    RadioLink(Loop& loop, radio::Service& service, int ttl, Handler handler, Notice notice);
    ~RadioLink();
    RadioLink(const RadioLink&) = delete;
    RadioLink& operator=(const RadioLink&) = delete;

    // Listens to a radiod's status group, which is then a radio of the service.
    // `name` is what the cache calls it; empty: by its group alone, or as it is called there. One that was dropped, and
    // is added again as it was, has its number again.
    Result<radio::RadioId, GroupFault> add(const GroupSpec& status_group, const std::string& name = "");
    // Its group is left; what is asked of it from now on expires.
    void drop(radio::RadioId radio);
    // From the next add() on: what it holds of a radio is recalled, what is heard goes into it.
    void remember_in(StateCache& cache) { cache_ = &cache; }
    // After anything was asked of the service: sends what is due and hands out events.
    void pump();
    // The host was asleep; found out by the link itself each time it wakes.
    void on_slept();
    // Told after interfaces, addresses or routes changed. One function, empty for none.
    void on_interfaces(std::function<void()> function) { on_interfaces_ = std::move(function); }
    // What came while nobody ran the loop is taken in now, before anything is asked.
    void take_waiting();
    // A packet that came by another socket: the radio's data groups carry its statuses too, and those of every other
    // radiod that sends there, which are known by the status group that they name.
    void take(radio::RadioId radio, const Endpoint& source, Bytes packet);
    // Sees each status before the events that it makes; its views end with the call. One handler, empty for none.
    void on_status(StatusHandler handler) { status_handler_ = std::move(handler); }
    // Told of each event, before the handler is.
    [[nodiscard]] Listeners<const radio::RadioEvent&>& listeners() { return listeners_; }
    // When a status of it came last; absent before the first.
    [[nodiscard]] std::optional<Instant> heard(radio::RadioId radio) const { return radios_[radio.index()].heard; }
    // Why its last packet could not be sent; absent when it was.
    [[nodiscard]] const std::optional<GroupFault>& sending_fault(radio::RadioId radio) const {
        return radios_[radio.index()].fault;
    }

    [[nodiscard]] const Figures& figures() const { return figures_; }

private:
    struct Radio {
        GroupSpec spec;
        std::string name;
        MembershipId membership;  // 0: dropped
        std::uint32_t interface = 0;
        std::optional<Instant> heard{};
        std::optional<GroupFault> fault{};  // told once, until it goes again
    };
    void feed(radio::RadioId radio, const Endpoint& source, Bytes packet);
    void tell(const radio::RadioEvent& event);
    [[nodiscard]] CachedGroup cached_group(radio::RadioId radio) const;
    void recall(radio::RadioId radio);
    void note_in_cache(radio::RadioId radio, const Endpoint& source, Bytes packet);
    void note_in_cache(const radio::RadioEvent& event);
    void send(const radio::Tuner::Packet& packet);
    Result<Unit, GroupFault> send_by(const Radio& to, Bytes bytes);
    void look_at_interfaces();
    Result<GroupSender*, GroupFault> sender_for(bool v4);

    Loop& loop_;
    radio::Service& service_;
    int ttl_;
    Handler handler_;
    Listeners<const radio::RadioEvent&> listeners_;
    StatusHandler status_handler_;
    Notice notice_;
    Timer timer_{Timer::Sleep::counts};
    Duration slept_;
    std::function<void()> on_interfaces_;
    GroupReceiver receiver_;
    std::optional<GroupSender> senders_[2];  // IPv6, IPv4
    std::vector<Radio> radios_;              // by RadioId
    StateCache* cache_ = nullptr;
    bool is_pumping_ = false;
    Figures figures_;
};

}  // namespace hawser::control
