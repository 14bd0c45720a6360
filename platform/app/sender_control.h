// SPDX-License-Identifier: MIT
// The control thread's side of a sender: the uplink list and its reloads, name lookups, events, figures.
// Keeps which LinkId stands for which uplink; everything else it knows comes from the pump's snapshots.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "platform/app/event_text.h"
#include "platform/app/sender_options.h"
#include "platform/control/loop.h"
#include "platform/control/resolver.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

using SenderService = PumpService<bond::Sender>;

// The pump of a sender with random id and seed from the system.
[[nodiscard]] Result<std::unique_ptr<SenderService>, std::string> start_sender(const bond::SenderOptions& options,
                                                                               const PumpSettings& settings);

class SenderControl {
public:
    explicit SenderControl(const SenderRequest& request);
    // The exit code.
    int run();

private:
    [[nodiscard]] Result<control::UplinkList, std::string> read_list() const;
    [[nodiscard]] bool start_service();
    [[nodiscard]] bool resolve_first();
    void apply(const control::UplinkList& list);
    void set_receiver(const Resolved& resolved);
    void name_unreachable();
    void reload();
    void on_service();
    void on_resolved();
    void on_event(const Event& event);
    void on_signal(int signal);
    void print_stats();
    void dump_json();
    void send(const Command& command);
    [[nodiscard]] std::string uplink_name(LinkId link) const;

    SenderRequest request_;
    control::Loop loop_;
    std::unique_ptr<SenderService> service_;
    std::optional<control::Resolver> resolver_;
    EventLog events_;
    std::array<std::optional<UplinkSpec>, links_max> uplinks_{};
    std::array<std::string, links_max> names_;  // kept after removal, for the events that follow it
    Resolved receiver_;
    std::array<bool, links_max> is_named_{};  // as an uplink whose family the receiver has no address of
    bool stopping_ = false;
    bool json_wanted_ = false;
    SenderSnapshot previous_{};
};

}  // namespace hawser::app
