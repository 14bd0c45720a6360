// SPDX-License-Identifier: MIT
// What the control thread does alike for both ends: starts the pump and says how it runs, hands on its events, takes
// signals, looks names up on a thread of their own, prints figures, keeps the control socket and serves the metrics.
// The first lookup decides whether there is a start at all; signals are served while it runs. An end derives from this,
// calls take_signals() before anything that starts a thread, then look_up(), then run_loop().
#pragma once

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "platform/app/config/key.h"
#include "platform/app/event_text.h"
#include "platform/app/events/event_book.h"
#include "platform/app/flight/flight_dumps.h"
#include "platform/app/metrics/metrics_server.h"
#include "platform/app/output_thread.h"
#include "platform/app/pump_service.h"
#include "platform/app/radio/keep.h"
#include "platform/app/radio/transition_text.h"
#include "platform/app/rpc/control_socket.h"
#include "platform/app/rpc/radio_methods.h"
#include "platform/control/loop.h"
#include "platform/control/name_lookup.h"
#include "platform/linux/clock.h"
#include "platform/linux/service_manager.h"
#include "platform/linux/socket.h"

namespace hawser::app {

// What is wanted now: read again where there is something to read, else what was.
template <class Request>
[[nodiscard]] Result<Request, std::string> wanted_now(const std::function<Result<Request, std::string>()>& reread,
                                                      const Request& running) {
    if (reread) return reread();
    return running;
}

template <class Service>
class ServiceControl {
public:
    ServiceControl(const ServiceControl&) = delete;
    ServiceControl& operator=(const ServiceControl&) = delete;
    virtual ~ServiceControl() = default;

protected:
    explicit ServiceControl(EventNames names) : events_(std::move(names)) {}

    // Each end's own part.
    [[nodiscard]] virtual bool on_first_answer(const control::Resolution& resolution) = 0;  // false: exit code 1
    virtual void on_resolved(const control::Resolution& resolution) = 0;                    // the later answers
    virtual void on_event(const Event& event) = 0;                                          // after it was told
    // What is known of it beside what it says itself.
    [[nodiscard]] virtual Json about(const Event&) { return Json::object(); }
    // Reads its own part anew, without effect. What is answered makes it count, once all parts are found good.
    [[nodiscard]] virtual Result<std::function<void()>, std::string> prepare_reload() = 0;
    [[nodiscard]] virtual std::string table() = 0;  // with rates since the last one
    [[nodiscard]] virtual std::string json() const = 0;
    [[nodiscard]] virtual Json stats() = 0;               // as get_stats answers
    [[nodiscard]] virtual Json sample() const = 0;        // a line of the event log, of figures
    virtual void add_methods(rpc::Methods& methods) = 0;  // of the control socket
    [[nodiscard]] virtual std::string state() const = 0;  // in a few words, for the service manager
    [[nodiscard]] virtual FlightWays ways() const = 0;    // that the newest figures know
    [[nodiscard]] virtual bool is_sender() const = 0;
    // How to end on SIGTERM, which may be a restart's; SIGINT is a stop.
    [[nodiscard]] virtual CommandKind on_termination() const { return CommandKind::stop; }
    // What names can be asked by, beside the system's resolver.
    [[nodiscard]] virtual std::vector<control::LookupWay> lookup_ways() const { return {}; }

    void take_signals() {
        loop_.on_signals({SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}, [this](int signal) { on_signal(signal); });
        // A line that repeats for ever is summed up this often.
        loop_.every(Duration{60'000'000'000}, [this] { events_.flush(); });
    }

    // After take_signals(). False when it failed, which has been said then.
    [[nodiscard]] bool open_event_log(const EventLogSettings& settings) {
        if (settings.to.empty()) return true;
        auto sink = open_event_sink(settings);
        if (!sink) {
            log(Level::error, "{}", sink.error());
            return false;
        }
        book_.emplace(loop_, std::move(sink).value(), Duration{std::int64_t{settings.samples_s} * 1'000'000'000});
        book_->tell(Level::info, "started", {}, "hawser " HAWSER_VERSION " begins",
                    Json{{"text", "hawser " HAWSER_VERSION " begins"}, {"role", is_sender() ? "sender" : "receiver"}});
        if (!book_->takes_samples()) return true;
        loop_.every(EventBook::sample_every, [this] {
            if (!service_) return;
            refresh();
            book_->sample(sample(), os::now());
        });
        return true;
    }

    // Before the pump starts, so that a socket that was named and cannot be had ends the program at once; clients are
    // served when the pump runs. False when it failed, which has been said then.
    [[nodiscard]] bool take_control_socket(const rpc::ServerSettings& settings) {
        if (settings.path.empty()) return true;
        auto opened = ControlSocket::open(loop_, settings);
        if (!opened) {
            log(settings.is_usual ? Level::warn : Level::error, "{}{}", opened.error(),
                settings.is_usual ? "; going on without a control socket" : "");
            return settings.is_usual;
        }
        control_ = std::move(opened).value();
        return true;
    }

    // False when it did not start, which has been said then. `buffer_bytes`: what the listening socket asks for.
    [[nodiscard]] bool take_service(Result<std::unique_ptr<Service>, std::string> started,
                                    const RecorderSettings& recorder, std::uint32_t buffer_bytes) {
        if (!started) {
            log(Level::error, "{}", started.error());
            return false;
        }
        service_ = std::move(started).value();
        log(Level::info, "{}", service_->io_choice().reason);
        const std::uint32_t granted = os::receive_buffer_granted(buffer_bytes);
        if (granted < buffer_bytes)
            log(Level::warn,
                "the system grants receive buffers of {} KiB, not {}: bursts may be lost (sysctl net.core.rmem_max={})",
                granted / 1024, buffer_bytes / 1024, buffer_bytes);
        loop_.watch(service_->fd(), [this] { on_service(); });
        watch_over();
        make_dumps(recorder);
        if (control_) {
            add_methods(control_->methods());
            dumps_->add_methods(control_->methods());
            if (kept_) add_radio_methods(control_->methods(), *kept_);
            control_->serve([this] { static_cast<void>(when_fresh([this] { control_->publish_stats(stats()); })); },
                            [this] { return is_fresh(); }, [this] { return reload_all(); });
        }
        return true;
    }

    // Once the service runs: the pages read its figures. False when it failed, which has been said then.
    [[nodiscard]] bool take_metrics(const std::optional<Endpoint>& at, std::vector<MetricsPage> pages) {
        if (!at) return true;
        auto opened = MetricsServer::open(loop_, *at, std::move(pages));
        if (!opened) {
            log(Level::error, "{}", opened.error());
            return false;
        }
        metrics_ = std::move(opened).value();
        return true;
    }

    void look_up(const std::string& host, std::uint16_t port,
                 control::NameLookup::By by = control::NameLookup::By::system, bool is_patient = false) {
        if (!lookup_)
            lookup_.emplace(
                loop_, [this] { return lookup_ways(); }, [this](const control::Resolution& r) { on_answer(r); });
        lookup_->ask({host, port, by, is_patient});
    }

    // The radio channels of a file, kept on this thread beside the rest; nothing where no file is named. False when the
    // file is bad, which has been said then.
    [[nodiscard]] bool keep_channels(const KeepRequest& request) {
        if (request.file.empty()) return true;
        kept_ = std::make_unique<KeptChannels>(
            loop_, request,
            [this](const control::Transition& t) {
                const auto line = describe(t);
                tell(line.level, event_name(t), "radio " + line.text, transition_fields(t));
            },
            [](const std::string& text) { log(Level::warn, "radio: {}", text); });
        const auto loaded = kept_->load();
        if (!loaded) log(Level::error, "{}", loaded.error());
        return bool(loaded);
    }

    // From now on, and once more at the end; zero seconds: never.
    void print_stats_every(double seconds) {
        prints_stats_ = seconds > 0;
        if (prints_stats_) loop_.every(Duration{static_cast<std::int64_t>(seconds * 1e9)}, [this] { print_stats(); });
    }

    // The exit code.
    [[nodiscard]] int run_loop() {
        const int code = loop_.run();
        if (dumps_) dumps_->finish();
        if (control_) control_->end();
        if (book_) {
            book_->hand_over_samples();
            book_->tell(Level::info, "stopped", {}, "hawser ends", Json{{"text", "hawser ends"}, {"code", code}});
            book_->finish();
        }
        if (prints_stats_) print_stats();
        return code;
    }

    void send(const Command& command) {
        if (command.kind != CommandKind::publish) changed_at_ = os::now();
        while (!service_->finished() && !service_->command(command)) std::this_thread::yield();
    }
    // Does something with figures that are not older than this moment; false when too much waits for such already.
    bool when_fresh(std::function<void()> then) {
        if (asked_for_.size() == asked_max) return false;
        asked_at_ = os::now();
        asked_for_.push_back(std::move(then));
        ask_for_snapshot();
        return true;
    }
    // Takes what the pump published last.
    void refresh() { static_cast<void>(service_->read_snapshot()); }
    [[nodiscard]] const typename Service::Snapshot& snapshot() const { return service_->snapshot(); }

    [[nodiscard]] bool has_answer() const { return has_answer_; }

    // What a reload changed, and what it could not.
    static void tell(const Adopted& adopted) {
        for (const std::string& key : adopted.taken) log(Level::info, "reload: {} has changed", key);
        for (const std::string& key : adopted.waiting)
            log(Level::warn, "reload: {} has changed, which counts from the next start on", key);
    }
    // To the log and to who subscribed: the pump's events, and the control thread's own.
    void tell(const Event& event) {
        events_.tell(event);
        changed_at_ = std::max(changed_at_, event.at);
        const bool is_wanted = control_ && control_->wants_events();
        if (!is_wanted && !book_) return;
        const EventLine line = describe(event, events_.names());
        Json told = event_json(event, line, events_.names());
        const Json more = about(event);
        for (const auto& [key, value] : more.items())
            if (!told.contains(key)) told[key] = value;
        if (is_wanted) control_->publish_event(told);
        if (book_) book_->tell(line.level, line.text, told);
    }
    // The same for what no Event has words for. `about`: what is to be said beside, as rpc/event_json.h names it.
    void tell(Level level, const std::string& kind, const std::string& text, const Json& about = Json::object()) {
        log(level, "{}", text);
        Json told{{"event", kind}, {"monotonic_ms", os::now().ms()}, {"level", name_of(level)}, {"text", text}};
        told.update(about);
        if (control_ && control_->wants_events()) control_->publish_event(told);
        if (book_) book_->tell(level, text, told);
    }

    // What the control thread does by itself: a line of the log, and as an event to the others, with `about`.
    void tell_own(Level level, const char* kind, LinkId link, const std::string& name, const std::string& text,
                  const Json& about) {
        log(level, "{}", text);
        Json told{{"event", kind},           {"monotonic_ms", os::now().ms()},
                  {"level", name_of(level)}, {"text", text},
                  {"link", link.value},      {"name", name}};
        told.update(about);
        if (control_ && control_->wants_events()) control_->publish_event(told);
        if (book_) book_->tell(level, text, told);
    }

    control::Loop loop_;

private:
    void on_answer(const control::Resolution& answer) {
        if (std::exchange(has_answer_, true))
            on_resolved(answer);
        else if (!on_first_answer(answer))
            end(1);
    }

    void on_service() {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto got = ::read(service_->fd(), &count, sizeof count);
        const bool ended = service_->finished();  // before the events: none comes after it
        Event event;
        while (service_->next_event(event)) {
            // Who removed it has told, and its place may have another's name by now.
            if (event.kind != EventKind::uplink_removed) tell(event);
            if (event.kind == EventKind::listening || event.kind == EventKind::receiver_listening) tell_ready();
            on_event(event);
        }
        if (!asked_for_.empty()) answer_asked();
        if (ended) {
            events_.flush();
            loop_.unwatch(service_->fd());
            end(service_->failed() ? 1 : 0);
        }
    }

    // The pump has ended, or never ran: what is left is to give up the channels.
    void end(int code) {
        stopping_ = true;
        if (!kept_) return loop_.quit(code);
        kept_->stop([this, code] { loop_.quit(code); });
    }

    // What SIGHUP and the control socket's `reload` do: all of it, or nothing.
    Result<Unit, std::string> reload_all() {
        if (book_) book_->reopen();
        if (stopping_) return Failure{std::string("the program is ending")};
        if (is_ready_) manager_.tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", os::now().ns / 1000));
        auto done = reload_each();
        if (is_ready_) tell_ready();
        return done;
    }

    Result<Unit, std::string> reload_each() {
        const auto refused = [](const std::string& why) {
            log(Level::error, "reload refused, everything stays as it is: {}", why);
            return Failure{why};
        };
        const auto own = prepare_reload();
        if (!own) return refused(own.error());
        if (kept_) {
            auto channels = kept_->read();
            if (!channels) return refused(channels.error());
            kept_->apply(*channels);
        }
        own.value()();
        return Unit{};
    }

    void on_signal(int signal) {
        switch (signal) {
            case SIGHUP: static_cast<void>(reload_all()); break;
            case SIGUSR1:
                if (service_) static_cast<void>(when_fresh([this] { print_json(); }));
                break;
            case SIGUSR2: dump(); break;
            default:
                if (std::exchange(stopping_, true)) return loop_.quit(1);  // asked a second time
                manager_.tell("STOPPING=1");
                if (service_) return service_->stop(signal == SIGTERM ? on_termination() : CommandKind::stop);
                end(0);
                break;
        }
    }

    void dump() {
        if (!dumps_) return;
        if (const auto path = dumps_->begin({}); !path) log(Level::error, "flight recorder: {}", path.error());
    }

    // From the moment on when packets of the other side would be taken.
    void tell_ready() {
        is_ready_ = true;
        manager_.tell("READY=1");
    }

    // The watchdog hears of us when the pump has answered: a pump that hangs is a service that does.
    void watch_over() {
        if (!manager_.is_there()) return;
        loop_.every(manager_.watchdog_interval().value_or(state_every), [this] {
            if (stopping_) return;
            static_cast<void>(when_fresh([this] {
                if (!stopping_) manager_.tell("WATCHDOG=1\nSTATUS=" + state());
            }));
        });
    }

    void make_dumps(const RecorderSettings& settings) {
        const auto copy = [this] {
            FlightCopy made = copy_flight(service_->recorder(), is_sender());
            made.ways = ways();
            return made;
        };
        const auto order = [this](CommandKind kind) {
            Command c;
            c.kind = kind;
            send(c);
        };
        const auto when = [this](std::function<void()> then) { return when_fresh(std::move(then)); };
        const auto still = [this] { return service_->finished() || snapshot().pump.recorder_held; };
        dumps_.emplace(loop_, settings, is_sender() ? "send" : "recv", FlightDumps::Pump{order, when, still, copy});
    }

    void ask_for_snapshot() {
        Command c;
        c.kind = CommandKind::publish;
        send(c);
    }

    // The pump tells of what it publishes on request, and of other things too. What it published before the request
    // is not the answer, nor is that of a turn whose clock was read before: then the next turn's is.
    // What a client reads is not older than the pump's own pace when it carries packets, nor than the last
    // order and the last event: so a pump that has no news is not asked more than ten times a second.
    bool is_fresh() {
        refresh();
        if (snapshot().at >= changed_at_ && os::now() - snapshot().at <= figures_age_max) return true;
        if (!is_refreshing_)
            is_refreshing_ = when_fresh([this] {
                is_refreshing_ = false;
                control_->resume();
            });
        return false;
    }

    void answer_asked() {
        refresh();
        if (snapshot().at < asked_at_) return ask_for_snapshot();
        for (const auto& then : std::exchange(asked_for_, {})) then();
    }

    void print_json() {
        std::string text = json();
        if (kept_) text.replace(text.rfind('}'), 1, ",\"radio\":" + control::text_of(kept_->figures()) + "}");
        print(text + "\n");
    }

    void print_stats() {
        refresh();
        print(table());
    }

    // What nobody reads is left out.
    static void print(std::string text) { static_cast<void>(standard_output().write(std::move(text))); }

    std::unique_ptr<Service> service_;
    std::optional<control::NameLookup> lookup_;
    std::unique_ptr<KeptChannels> kept_;
    EventLog events_;
    std::optional<FlightDumps> dumps_;
    std::optional<EventBook> book_;
    std::unique_ptr<ControlSocket> control_;
    std::unique_ptr<MetricsServer> metrics_;
    os::ServiceManager manager_;
    static constexpr Duration state_every{10'000'000'000};
    static constexpr Duration figures_age_max{150'000'000};
    static constexpr std::size_t asked_max = 16;
    std::vector<std::function<void()>> asked_for_;  // with figures that are newer than:
    Instant asked_at_;
    Instant changed_at_;  // the last order to the pump, or event of it
    bool is_refreshing_ = false;
    bool has_answer_ = false;
    bool prints_stats_ = false;
    bool stopping_ = false;
    bool is_ready_ = false;
};

}  // namespace hawser::app
