// SPDX-License-Identifier: MIT
#include "platform/app/sender_control.h"

#include <algorithm>
#include <utility>

#include "platform/app/metrics/common_metrics.h"
#include "platform/app/metrics/sender_metrics.h"
#include "platform/app/random.h"
#include "platform/app/sender_figures.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

constexpr Duration bitrate_every{200'000'000};  // twice the law's pace

}  // namespace

Result<std::unique_ptr<SenderService>, std::string> start_sender(const bond::SenderOptions& options,
                                                                 const PumpSettings& settings) {
    wire::GroupKey key;
    fill_random(key);
    const auto seed = random_value<std::uint64_t>();
    return SenderService::start(
        settings, [&](Pool& pool) { return std::make_unique<bond::Sender>(options, pool, key, seed); },
        [](SenderSnapshot&) {});
}

SenderControl::SenderControl(const SenderRequest& request)
    : ServiceControl(EventNames{
          request.receiver_host + ":" + std::to_string(request.receiver_port),
          [](const void* self, LinkId link) { return static_cast<const SenderControl*>(self)->uplink_name(link); },
          this}),
      request_(request),
      links_([this](const Command& c) { send(c); }, request.receiver_host),
      bitrate_(request.bitrate) {}

std::string SenderControl::uplink_name(LinkId link) const {
    return link.index() < links_max ? links_.names()[link.index()] : std::string("?");
}

Result<control::UplinkList, std::string> SenderControl::read_list() const {
    const auto forms = request_.compat ? control::UplinkForms::addresses : control::UplinkForms::all;
    control::UplinkList list;
    if (!request_.uplinks_file.empty()) {
        auto read = control::read_uplinks(request_.uplinks_file, forms);
        if (!read) return read;
        list = std::move(read).value();
    }
    for (const std::string& entry : request_.uplinks) {
        std::string complaint;
        static_cast<void>(control::add_uplink(list, entry, forms, complaint));
        if (!complaint.empty()) return Failure{"--uplink: " + complaint};
    }
    for (const std::string& entry : request_.metered) {
        std::string complaint;
        const auto named = control::parse_uplink(entry, forms, complaint);
        if (!complaint.empty()) return Failure{"--metered: " + complaint};
        bool any = false;
        for (UplinkSpec& u : list.uplinks) {
            const bool is_meant = control::same_uplink(u, *named) ||
                                  (named->device[0] == '\0' && u.source.address == named->source.address);
            u.settings.metered = u.settings.metered || is_meant;
            any = any || is_meant;
        }
        if (!any) log(Level::warn, "--metered: there is no uplink {}", control::uplink_text(*named));
    }
    const auto is_removed = [&](const UplinkSpec& u) {
        return std::find(removed_.begin(), removed_.end(), control::uplink_text(u)) != removed_.end();
    };
    list.uplinks.erase(std::remove_if(list.uplinks.begin(), list.uplinks.end(), is_removed), list.uplinks.end());
    if (list.uplinks.empty() && !list.automatic) {
        const std::string first = list.complaints.empty() ? "" : " (" + list.complaints.front() + ")";
        return Failure{request_.uplinks_file.empty()
                           ? std::string("no uplinks given: a file, or --uplink ADDRESS, INTERFACE or auto")
                           : "Failed to parse any IP addresses in " + request_.uplinks_file + first};
    }
    return list;
}

bool SenderControl::start_service() {
    const auto address = os::parse_address(request_.listen_address);
    HAWSER_CHECK(address);
    request_.bond.listen = *address;
    request_.bond.listen.port = request_.listen_port;
    return take_service(start_sender(request_.bond, request_.pump), request_.bond.listen_buffer_bytes);
}

bool SenderControl::on_first_answer(const control::Resolution& r) {
    if (r.resolved.count == 0) {
        log(Level::error, "Failed to resolve {}: {}", request_.receiver_host, r.error);
        // A name that does not exist is the operator's to mend; a network that is not up yet comes up by itself.
        if (r.is_final || request_.compat) return false;
        log(Level::info, "looking it up again until it answers");
    } else {
        if (r.left_out > 0)
            log(Level::warn, "{} has {} more addresses than are used", request_.receiver_host, r.left_out);
        links_.set_receiver(r.resolved);
        log(Level::info, "Trying to connect to {}...", os::endpoint_text(r.resolved.addresses[0]));
    }
    apply(list_);
    previous_.at = os::now();
    print_stats_every(request_.stats_seconds);
    return true;
}

void SenderControl::apply(const control::UplinkList& list) {
    for (const std::string& complaint : list.complaints) log(Level::warn, "{}: {}", request_.uplinks_file, complaint);
    control::AutomaticUplinks automatic = request_.automatic;
    automatic.wanted = list.automatic;
    links_.want(list.uplinks, automatic);
}

Result<Unit, std::string> SenderControl::reload() {
    const auto removed = std::exchange(removed_, {});
    auto list = read_list();
    if (!list) {
        removed_ = removed;
        log(Level::error, "reload refused, the uplinks stay as they are: {}", list.error());
        return Failure{list.error()};
    }
    list_ = std::move(list).value();
    if (!has_answer()) return Unit{};
    apply(list_);
    look_up_receiver();
    return Unit{};
}

void SenderControl::on_resolved(const control::Resolution& r) {
    if (r.resolved.count == 0) {
        log(Level::warn, "Failed to resolve {}: {}", r.host, r.error);
        return;
    }
    links_.set_receiver(r.resolved);
}

void SenderControl::on_event(const Event& event) {
    if (event.kind == EventKind::resolve_wanted) look_up_receiver();
    if (event.kind == EventKind::uplink_opened) links_.opened(event.link, event.endpoint);
    if (event.kind == EventKind::uplink_connected) links_.connected(event.link, true);
    // Opened anew it is yet to register.
    if (event.kind == EventKind::uplink_silent || event.kind == EventKind::uplink_open_failed ||
        event.kind == EventKind::uplink_opened)
        links_.connected(event.link, false);
}

std::vector<MetricsPage> SenderControl::metrics_pages() {
    const auto page = [this](const char* path, const char* help, auto make) {
        return MetricsPage{
            path, help, [this, make] {
                refresh();
                return control::HttpReply{std::string(exposition_type), make(snapshot(), links_.names())};
            }};
    };
    return {page("/metrics", "for Prometheus", sender_metrics),
            page("/metrics/srtla_send", "the same under the names of irlserver's sender", srtla_send_metrics)};
}

std::string SenderControl::table() {
    std::string text = figures_table(snapshot(), previous_, links_.names(), links_.waiting());
    previous_ = snapshot();
    return text;
}

std::string SenderControl::json() const { return figures_json(snapshot(), links_.names(), links_.waiting()); }

int SenderControl::run() {
    auto list = read_list();
    if (!list) {
        log(Level::error, "{}", list.error());
        return 1;
    }
    list_ = std::move(list).value();
    if (const auto begun = bitrate_.begin(os::now()); !begun) {
        log(Level::error, "{}", begun.error());
        return 1;
    }
    if (!take_control_socket(request_.control)) return 1;
    take_signals();
    if (!keep_channels(request_.radio)) return 1;
    if (!start_service() || !take_metrics(request_.metrics, metrics_pages())) return 1;
    select(request_.selection);
    links_.follow(loop_);
    look_up_receiver();
    if (!request_.bitrate.path.empty())
        loop_.every(bitrate_every, [this] {
            refresh();
            bitrate_.update(snapshot().safe_rate, os::now());
        });
    return run_loop();
}

int run_sender(const SenderRequest& request) { return SenderControl(request).run(); }

}  // namespace hawser::app
