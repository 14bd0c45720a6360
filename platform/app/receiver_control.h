// SPDX-License-Identifier: MIT
// The control thread's side of a receiver: the SRT server's name, events, client-address files, figures.
#pragma once

#include <memory>
#include <optional>

#include "platform/app/client_files.h"
#include "platform/app/event_text.h"
#include "platform/app/receiver_figures.h"
#include "platform/app/receiver_options.h"
#include "platform/control/loop.h"
#include "platform/control/resolver.h"

namespace hawser::app {

using ReceiverService = PumpService<bond::Receiver>;

// The pump of a receiver with fresh entropy from the system.
[[nodiscard]] Result<std::unique_ptr<ReceiverService>, std::string> start_receiver(const bond::ReceiverOptions& options,
                                                                                   PumpSettings settings);

class ReceiverControl {
public:
    explicit ReceiverControl(const ReceiverRequest& request);
    // The exit code.
    int run();

private:
    [[nodiscard]] bool start_service();
    void on_service();
    void on_resolved(const control::Resolution& resolution);
    void on_signal(int signal);
    void on_refresh();
    void print_stats();
    void send(const Command& command);

    ReceiverRequest request_;
    control::Loop loop_;
    std::unique_ptr<ReceiverService> service_;
    std::optional<control::Resolver> resolver_;
    EventLog events_;
    ClientFiles files_;
    Resolved server_;
    ReceiverFiguresBefore before_;
    bool stopping_ = false;
    bool json_wanted_ = false;
};

}  // namespace hawser::app
