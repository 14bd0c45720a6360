// SPDX-License-Identifier: MIT
// The control thread's side of a sender: the uplink list and its reloads, the receiver's addresses, figures.
#pragma once

#include <memory>
#include <string>

#include "platform/app/budget_file.h"
#include "platform/app/earlier_run.h"
#include "platform/app/events/link_states.h"
#include "platform/app/link_limits.h"
#include "platform/app/rpc/sender_methods.h"
#include "platform/app/sender_links.h"
#include "platform/app/sender_options.h"
#include "platform/app/service_control.h"
#include "platform/control/uplink_list.h"

namespace hawser::app {

using SenderService = PumpService<bond::Sender>;

// The pump of a sender with random id and seed from the system.
[[nodiscard]] Result<std::unique_ptr<SenderService>, std::string> start_sender(const bond::SenderOptions& options,
                                                                               const PumpSettings& settings);

class SenderControl final : ServiceControl<SenderService>, SenderSteering {
public:
    SenderControl(const SenderRequest& request, RereadSender reread);
    // The exit code.
    int run();

private:
    [[nodiscard]] bool on_first_answer(const control::Resolution& resolution) override;
    void on_resolved(const control::Resolution& resolution) override;
    void on_event(const Event& event) override;
    [[nodiscard]] Json about(const Event& event) override;
    [[nodiscard]] Result<std::function<void()>, std::string> prepare_reload() override;
    [[nodiscard]] std::string table() override;
    [[nodiscard]] std::string json() const override;
    [[nodiscard]] std::string state() const override;
    [[nodiscard]] FlightWays ways() const override {
        return flight_ways(ways_, snapshot(), links_.names(), request_.bond.listen);
    }
    [[nodiscard]] bool is_sender() const override { return true; }
    [[nodiscard]] CommandKind on_termination() const override {
        return run_file_.path().empty() ? CommandKind::stop : CommandKind::hand_over;
    }
    [[nodiscard]] Json stats() override { return sender_stats(*this); }
    [[nodiscard]] Json sample() const override { return sample_of(snapshot(), links_.names()); }
    void add_methods(rpc::Methods& methods) override;

    // Of SenderSteering.
    [[nodiscard]] const SenderSnapshot& figures() override;
    [[nodiscard]] const std::array<std::string, links_max>& link_names() const override { return links_.names(); }
    [[nodiscard]] std::vector<WaitingUplink> waiting_links() const override { return links_.waiting(); }
    [[nodiscard]] const select::Settings& selection() const override { return request_.selection; }
    void select(const select::Settings& settings) override;
    [[nodiscard]] Duration silence() const override { return request_.bond.link_silence; }
    void set_silence(Duration span) override;
    [[nodiscard]] Result<std::string, std::string> add_link(const std::string& entry) override;
    [[nodiscard]] Result<Unit, std::string> remove_link(const std::string& name) override;
    [[nodiscard]] LinkLimits& limits() override { return limits_; }
    [[nodiscard]] std::optional<control::LinkWords> words_of(const std::string& name) const override {
        return links_.words_of(name);
    }
    void limits_changed() override;

    void order(const Command& command);
    void on_link_news(const LinkNews& news);
    void shun(const std::string& interface);
    void adopt_request(SenderRequest& wanted);
    void begin_bitrate();
    void time_bitrate();
    void keep_run();
    [[nodiscard]] bool start_service();
    [[nodiscard]] std::vector<MetricsPage> metrics_pages();
    // As its own program one that finds no name ends: not before everybody has spoken.
    void look_up_receiver() {
        look_up(request_.receiver_host, request_.receiver_port, request_.lookups, request_.compat);
    }
    [[nodiscard]] std::vector<control::LookupWay> lookup_ways() const override;
    [[nodiscard]] control::AutomaticUplinks automatic(const control::UplinkList& list) const;
    void tell_found(const control::Resolution& resolution);
    void apply(const control::UplinkList& list);
    [[nodiscard]] std::string uplink_name(LinkId link) const;
    // Budgets: what they are kept in, and their second's work.
    [[nodiscard]] bool open_budgets();
    void count_bytes();
    void apply_limits();

    SenderRequest request_;
    RereadSender reread_;
    control::UplinkList list_;          // applied once the first lookup is answered
    std::vector<std::string> added_;    // over the control socket; reloads keep them
    std::vector<std::string> shunned_;  // interfaces of those that were removed over it, until the next reload
    LinkLimits limits_;
    SenderLinks links_;
    std::optional<BudgetFile> budget_file_;
    WayHistory ways_;
    LinkStates states_;
    SenderSnapshot previous_{};
    BitrateFile bitrate_;
    bool is_begun_ = false;  // the first answer is taken
    bool has_bitrate_timer_ = false;
    bool has_budget_timer_ = false;
    EarlierRunFile run_file_;
    std::optional<control::Timer> keep_timer_;  // while there is a file
};

}  // namespace hawser::app
