// SPDX-License-Identifier: MIT
// The control thread's side of a receiver: the SRT server's addresses, client-address files, figures.
#pragma once

#include <memory>

#include "platform/app/client_files.h"
#include "platform/app/metrics/receiver_metrics.h"
#include "platform/app/receiver_figures.h"
#include "platform/app/receiver_options.h"
#include "platform/app/service_control.h"

namespace hawser::app {

using ReceiverService = PumpService<bond::Receiver>;

// The pump of a receiver with fresh entropy from the system.
[[nodiscard]] Result<std::unique_ptr<ReceiverService>, std::string> start_receiver(const bond::ReceiverOptions& options,
                                                                                   PumpSettings settings);

class ReceiverControl final : ServiceControl<ReceiverService> {
public:
    ReceiverControl(const ReceiverRequest& request, RereadReceiver reread);
    // The exit code.
    int run();

private:
    [[nodiscard]] bool on_first_answer(const control::Resolution& resolution) override;
    void on_resolved(const control::Resolution& resolution) override;
    void on_event(const Event& event) override;
    [[nodiscard]] Result<std::function<void()>, std::string> prepare_reload() override;
    [[nodiscard]] std::string table() override;
    [[nodiscard]] std::string json() const override;
    [[nodiscard]] std::string state() const override;
    [[nodiscard]] FlightWays ways() const override { return flight_ways(ways_, snapshot(), request_.bond.listen); }
    [[nodiscard]] bool is_sender() const override { return false; }
    [[nodiscard]] Json stats() override { return figures_of(snapshot()); }
    [[nodiscard]] Json sample() const override { return sample_of(snapshot()); }
    void add_methods(rpc::Methods& methods) override;

    void take_allowed();
    [[nodiscard]] bool start_service();
    [[nodiscard]] bool serve_metrics();
    void look_up_server() { look_up(request_.server_host, request_.server_port); }

    ReceiverRequest request_;
    RereadReceiver reread_;
    ClientFiles files_;
    WayHistory ways_;
    Resolved server_;
    std::string failure_;  // of the last lookup, as it was told; empty: none
    ReceiverFiguresBefore before_;
    GroupRates rates_;  // while metrics are served
};

}  // namespace hawser::app
