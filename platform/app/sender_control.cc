// SPDX-License-Identifier: MIT
#include "platform/app/sender_control.h"

#include <algorithm>
#include <utility>

#include "platform/app/config/sender_keys.h"
#include "platform/app/metrics/common_metrics.h"
#include "platform/app/metrics/sender_metrics.h"
#include "platform/app/random.h"
#include "platform/app/rpc/config_methods.h"
#include "platform/app/sender_figures.h"
#include "platform/app/sender_uplinks.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

constexpr Duration bitrate_every{200'000'000};  // twice the law's pace

std::string receiver_text(const SenderRequest& r) { return r.receiver_host + ":" + std::to_string(r.receiver_port); }

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

SenderControl::SenderControl(const SenderRequest& request, RereadSender reread)
    : ServiceControl(EventNames{
          receiver_text(request),
          [](const void* self, LinkId link) { return static_cast<const SenderControl*>(self)->uplink_name(link); },
          this}),
      request_(request),
      reread_(std::move(reread)),
      links_([this](const Command& c) { send(c); }, request.receiver_host),
      bitrate_(request.bitrate) {}

std::string SenderControl::uplink_name(LinkId link) const {
    return link.index() < links_max ? links_.names()[link.index()] : std::string("?");
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

Result<std::function<void()>, std::string> SenderControl::prepare_reload() {
    SenderRequest wanted = request_;
    if (reread_) {
        auto read = reread_();
        if (!read) return Failure{read.error()};
        wanted = std::move(read).value();
    }
    auto list = wanted_uplinks(wanted, added_);
    if (!list) return Failure{list.error()};
    if (std::string complaint = bitrate_complaint(wanted.bitrate); !complaint.empty()) return Failure{complaint};
    return std::function<void()>([this, wanted = std::move(wanted), list = std::move(list).value()]() mutable {
        adopt_request(wanted);
        list_ = std::move(list);
        if (!has_answer()) return;
        apply(list_);
        look_up_receiver();
    });
}

void SenderControl::adopt_request(SenderRequest& wanted) {
    const Adopted adopted = adopt(sender_section(request_), sender_section(wanted));
    tell(adopted);
    request_.policies = wanted.policies;
    set_log_level(request_.log_level);
    if (adopted.any_of("sender.receiver")) {
        name_peer(receiver_text(request_));
        links_.name_receiver(request_.receiver_host);
    }
    if (adopted.any_of("sender.encoder.")) begin_bitrate();
    select(request_.selection);
    set_silence(request_.bond.link_silence);
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

// What it needs was there when the program started or is the operator's to mend: the stream goes on without.
void SenderControl::begin_bitrate() {
    bitrate_ = BitrateFile(request_.bitrate);
    if (const auto begun = bitrate_.begin(os::now()); !begun) log(Level::error, "{}", begun.error());
}

void SenderControl::add_methods(rpc::Methods& methods) {
    add_sender_methods(methods, *this);
    add_config_methods(
        methods, [this] { return sender_section(request_); }, request_.config_file);
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
    auto list = wanted_uplinks(request_, added_);
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
    // A reload may name a file.
    loop_.every(bitrate_every, [this] {
        if (request_.bitrate.path.empty()) return;
        refresh();
        bitrate_.update(snapshot().safe_rate, os::now());
    });
    return run_loop();
}

int run_sender(const SenderRequest& request, RereadSender reread) {
    return SenderControl(request, std::move(reread)).run();
}

}  // namespace hawser::app
