// SPDX-License-Identifier: MIT
#include "platform/app/sender_control.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "platform/app/config/obstacle.h"
#include "platform/app/config/sender_keys.h"
#include "platform/app/lookup_text.h"
#include "platform/app/metrics/budget_metrics.h"
#include "platform/app/metrics/common_metrics.h"
#include "platform/app/metrics/sender_metrics.h"
#include "platform/app/random.h"
#include "platform/app/rpc/config_methods.h"
#include "platform/app/rpc/limit_methods.h"
#include "platform/app/sender_figures.h"
#include "platform/app/sender_uplinks.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::app {

namespace {

constexpr Duration bitrate_every{200'000'000};  // twice the law's pace
// A link of 100 Mbit/s carries 12 MB in it: what a budget is exceeded by, until it is acted upon.
constexpr Duration budgets_every{1'000'000'000};
constexpr Duration counts_every{10'000'000'000};  // without a budget

constexpr Duration keep_after{1'000'000'000};  // longer than any round trip that SRT is used over

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
      links_([this](const Command& c) { order(c); }, [this](const LinkNews& n) { on_link_news(n); },
             request.receiver_host, limits_),
      bitrate_(request.bitrate),
      run_file_(request.runtime_folder, request.listen_address, request.listen_port) {}

std::string SenderControl::uplink_name(LinkId link) const {
    return link.index() < links_max ? links_.names()[link.index()] : std::string("?");
}

void SenderControl::order(const Command& c) {
    if (c.kind == CommandKind::add_uplink)
        ways_.begin(uplink_way(0, c.link), former_uplink(uplink_name(c.link)), os::now());
    send(c);
}

void SenderControl::on_link_news(const LinkNews& n) {
    tell_own(n.level, n.kind, n.link, n.name, n.text, n.state ? states_.enter(n.link, *n.state) : Json::object());
    // It may be the one by which the receiver's name can be asked for.
    if (n.brings_way && is_begun_ && !links_.knows_receiver()) look_up_receiver();
}

bool SenderControl::start_service() {
    const auto address = os::parse_address(request_.listen_address);
    HAWSER_CHECK(address);
    request_.bond.listen = *address;
    request_.bond.listen.port = request_.listen_port;
    request_.bond.earlier = run_file_.read(receiver_text(request_));
    if (!run_file_.path().empty()) {
        keep_timer_.emplace();
        loop_.watch(keep_timer_->fd(), [this] {
            keep_timer_->acknowledge();
            static_cast<void>(when_fresh([this] { keep_run(); }));
        });
    }
    RecorderSettings recorder = request_.pump.recorder;
    if (recorder.folder.empty() && !request_.state_folder.empty())
        recorder.folder = request_.state_folder + "/recordings";
    return take_service(start_sender(request_.bond, request_.pump), recorder, request_.bond.listen_buffer_bytes);
}

bool SenderControl::on_first_answer(const control::Resolution& r) {
    if (r.resolved.count == 0) {
        tell(Level::error, "name_not_found", fmt::format("Failed to resolve {}: {}", r.host, r.error));
        // A name that does not exist is the operator's to mend; a network that is not up yet comes up by itself.
        if (r.is_final || request_.compat) return false;
        log(Level::info, "looking it up again until it answers");
    } else {
        if (r.left_out > 0)
            log(Level::warn, "{} has {} more addresses than are used", request_.receiver_host, r.left_out);
        tell_found(r);
        links_.set_receiver(r.resolved);
        log(Level::info, "Trying to connect to {}...", os::endpoint_text(r.resolved.addresses[0]));
    }
    apply(list_);
    is_begun_ = true;
    previous_.at = os::now();
    print_stats_every(request_.stats_seconds);
    return true;
}

control::AutomaticUplinks SenderControl::automatic(const control::UplinkList& list) const {
    control::AutomaticUplinks automatic = request_.automatic;
    automatic.wanted = list.automatic;
    automatic.exclude.insert(automatic.exclude.end(), shunned_.begin(), shunned_.end());
    return automatic;
}

void SenderControl::apply(const control::UplinkList& list) {
    for (const std::string& complaint : list.complaints) log(Level::warn, "{}: {}", request_.uplinks_file, complaint);
    links_.want(list.uplinks, automatic(list));
}

std::vector<control::LookupWay> SenderControl::lookup_ways() const {
    return links_.lookup_ways(list_.uplinks, automatic(list_));
}

void SenderControl::tell_found(const control::Resolution& r) {
    if (!r.by) return;
    tell(Level::info, "name_found_by_uplink", found_text(r),
         Json{{"name", r.by->link}, {"endpoint", os::endpoint_text(r.by->server)}});
}

Result<std::function<void()>, std::string> SenderControl::prepare_reload() {
    auto wanted = wanted_now(reread_, request_);
    if (!wanted) return Failure{wanted.error()};
    if (const auto ports = port_obstacles_to(*wanted, &request_); !ports.empty()) return Failure{ports.front().text};
    auto list = wanted_uplinks(*wanted, added_);
    if (!list) return Failure{list.error()};
    if (std::string complaint = bitrate_complaint(wanted->bitrate); !complaint.empty()) return Failure{complaint};
    return std::function<void()>([this, wanted = std::move(wanted).value(), list = std::move(list).value()]() mutable {
        adopt_request(wanted);
        list_ = std::move(list);
        shunned_.clear();
        if (!has_answer()) return;
        apply(list_);
        look_up_receiver();
    });
}

void SenderControl::adopt_request(SenderRequest& wanted) {
    const Adopted adopted = adopt(sender_section(request_), sender_section(wanted));
    tell(adopted);
    request_.policies = wanted.policies;
    limits_.set_policies(request_.policies);
    limits_changed();
    set_log_level(request_.log_level);
    if (adopted.any_of("sender.encoder.")) begin_bitrate();
    select(request_.selection);
    set_silence(request_.bond.link_silence);
}

void SenderControl::on_resolved(const control::Resolution& r) {
    if (r.resolved.count == 0) {
        tell(Level::warn, "name_not_found", fmt::format("Failed to resolve {}: {}", r.host, r.error));
        return;
    }
    tell_found(r);
    links_.set_receiver(r.resolved);
}

void SenderControl::on_event(const Event& event) {
    const bool is_group = event.kind == EventKind::group_created || event.kind == EventKind::group_kept;
    // The listener's answer, which settles the latency, is under way.
    if (keep_timer_ && (is_group || event.kind == EventKind::session_started))
        keep_timer_->set(os::now() + (is_group ? Duration{} : keep_after));
    if (event.kind == EventKind::resolve_wanted) look_up_receiver();
    states_.note(event);
    if (event.kind == EventKind::uplink_opened) {
        ways_.set_local(uplink_way(0, event.link), event.endpoint);
        links_.opened(event.link, event.endpoint);
    }
    if (event.kind == EventKind::uplink_connected) links_.connected(event.link, true);
    // Opened anew it is yet to register.
    if (event.kind == EventKind::uplink_silent || event.kind == EventKind::uplink_open_failed ||
        event.kind == EventKind::uplink_opened || (event.kind == EventKind::uplink_error && event.b != 0))
        links_.connected(event.link, false);
    if (event.kind == EventKind::group_lost) links_.all_lost();
}

// As the pump told last, which is a tenth of a second ago at most while packets pass.
Json SenderControl::about(const Event& event) {
    Json out = states_.after(event);
    if (!is_of_connection(event.kind)) return out;
    refresh();
    out.update(link_event_figures(snapshot().uplinks[event.link.index()]));
    return out;
}

// What it needs was there when the program started or is the operator's to mend: the stream goes on without.
void SenderControl::begin_bitrate() {
    bitrate_ = BitrateFile(request_.bitrate);
    if (const auto begun = bitrate_.begin(os::now()); !begun) log(Level::error, "{}", begun.error());
    time_bitrate();
}

void SenderControl::time_bitrate() {
    if (request_.bitrate.path.empty() || std::exchange(has_bitrate_timer_, true)) return;
    loop_.every(bitrate_every, [this] {
        refresh();
        bitrate_.update(snapshot().safe_rate, os::now());
    });
}

void SenderControl::keep_run() {
    const SenderSnapshot& s = snapshot();
    run_file_.keep({s.group_joined, s.group, s.latency}, receiver_text(request_));
}

void SenderControl::add_methods(rpc::Methods& methods) {
    add_sender_methods(methods, *this);
    add_config_methods(
        methods, [this] { return sender_section(request_); }, request_.config_file);
}

std::vector<MetricsPage> SenderControl::metrics_pages() {
    const auto page = [this](const char* path, const char* help, auto make) {
        return MetricsPage{path, help, [this, make] {
                               refresh();
                               return control::HttpReply{std::string(exposition_type), make()};
                           }};
    };
    return {page("/metrics", "for Prometheus",
                 [this] { return sender_metrics(snapshot(), links_.names()) + budget_metrics(limits_.budgets()); }),
            page("/metrics/srtla_send", "the same under the names of irlserver's sender",
                 [this] { return srtla_send_metrics(snapshot(), links_.names(), links_.waiting_outside()); })};
}

std::string SenderControl::table() {
    std::string text = figures_table(snapshot(), previous_, links_.names(), links_.waiting());
    previous_ = snapshot();
    return text;
}

std::string SenderControl::state() const {
    const SenderSnapshot& s = snapshot();
    std::size_t present = 0;
    std::size_t connected = 0;
    for (const UplinkSnapshot& u : s.uplinks) {
        if (u.state != UplinkState::absent) ++present;
        if (u.state == UplinkState::connected) ++connected;
    }
    return fmt::format("{} of {} uplinks connected, {}", connected, present,
                       s.has_caller ? "an SRT caller is here" : "no SRT caller");
}

std::string SenderControl::json() const {
    std::string text = figures_json(snapshot(), links_.names(), links_.waiting());
    const Json budgets = budgets_json(limits_.budgets());
    return text.replace(text.rfind('}'), 1, ",\"budgets\":" + control::text_of(budgets) + "}");
}

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
    limits_.set_policies(request_.policies);
    if (!open_budgets() || !take_control_socket(request_.control)) return 1;
    take_signals();
    if (!open_event_log(request_.events)) return 1;
    if (!keep_channels(request_.radio)) return 1;
    if (!start_service() || !take_metrics(request_.metrics, metrics_pages())) return 1;
    select(request_.selection);
    links_.follow(loop_);
    look_up_receiver();
    time_bitrate();
    loop_.every(counts_every, [this] { count_bytes(); });
    const int code = run_loop();
    count_bytes();
    if (budget_file_) budget_file_->finish(limits_.budgets());
    return code;
}

// Nothing to do before the first budget. False when it cannot be kept, which has been said then.
bool SenderControl::open_budgets() {
    if (budget_file_ || (!limits_.has_budget() && request_.state_folder.empty())) return true;
    if (!std::exchange(has_budget_timer_, true)) loop_.every(budgets_every, [this] { count_bytes(); });
    if (const auto day = believable_day(std::time(nullptr)))
        limits_.budgets().set_today(*day);
    else
        log(Level::warn, "the clock cannot be right: no billing month begins before it is");
    const std::string folder = request_.state_folder.empty() ? default_state_folder() : request_.state_folder;
    budget_file_.emplace(loop_, folder, [this](int error) {
        Event e;
        e.at = os::now();
        e.kind = error != 0 ? EventKind::budget_unsaved : EventKind::budget_saved;
        e.a = static_cast<std::uint32_t>(error);
        tell(e);
    });
    const auto begun = budget_file_->begin(limits_.budgets());
    if (begun) return true;
    log(Level::error, "{}", begun.error());
    budget_file_.reset();
    return false;
}

void SenderControl::count_bytes() {
    refresh();
    limits_.count(snapshot(), std::time(nullptr));
    apply_limits();
    for (const std::string& link : limits_.budgets().take_forgotten())
        log(Level::warn, "what {} had used is forgotten: {} uplinks that came after it are known", link,
            control::Budgets::links_known_max);
    if (budget_file_) budget_file_->save(limits_.budgets(), os::now());
}

// A first budget is kept as one of the start is; where it cannot be, it is counted all the same.
void SenderControl::limits_changed() {
    static_cast<void>(open_budgets());
    apply_limits();
}

void SenderControl::apply_limits() {
    links_.apply_limits();
    for (const Event& e : limits_.take_events(os::now())) tell(e);
}

int run_sender(const SenderRequest& request, RereadSender reread) {
    return SenderControl(request, std::move(reread)).run();
}

}  // namespace hawser::app
