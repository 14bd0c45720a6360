// SPDX-License-Identifier: MIT
// What the control socket of both ends has alike: version, reload, the newest log lines, and the topics `stats` (each
// second while somebody wants it), `events` (each event of the pump's, at once) and `log` (each line, as logged).
// The end adds its own methods before serve().
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "platform/app/figures.h"
#include "platform/app/log.h"
#include "platform/app/rpc/event_json.h"
#include "platform/control/loop.h"
#include "platform/control/rpc/server.h"

namespace hawser::app {

class ControlSocket {
public:
    static constexpr std::size_t recent_lines_max = 256;
    static constexpr Duration stats_interval{1'000'000'000};

    // Takes what this thread logs from now on.
    [[nodiscard]] static Result<std::unique_ptr<ControlSocket>, std::string> open(control::Loop& loop,
                                                                                  const rpc::ServerSettings& settings);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    [[nodiscard]] rpc::Methods& methods() { return server_->methods(); }
    // `ask_for_stats`: fresh figures are wanted, and come to publish_stats().
    // `reload`: as SIGHUP does; the error says what kept it.
    // `is_fresh`: false when newer figures are on their way, upon which resume() is to be called.
    void serve(std::function<void()> ask_for_stats, std::function<bool()> is_fresh,
               std::function<Result<Unit, std::string>()> reload);
    void resume() { server_->resume(); }
    // Once the loop has ended: nobody who asked in time goes without an answer.
    void end() { server_->answer_last({rpc::Code::refused, "the program is ending", nullptr}); }

    [[nodiscard]] bool wants_events() const { return server_->has_subscribers("events"); }
    void publish_event(const Json& event) { server_->publish("events", event); }
    void publish_stats(const Json& stats) { server_->publish("stats", stats); }

private:
    ControlSocket(control::Loop& loop, std::unique_ptr<rpc::Server> server);
    void on_log_line(Level level, std::string_view line);
    void time_stats(bool wanted);

    control::Loop& loop_;
    std::unique_ptr<rpc::Server> server_;
    control::Timer stats_due_;
    Instant stats_at_ = never;
    std::function<void()> ask_for_stats_;
    std::deque<Json> recent_;
};

}  // namespace hawser::app
