// SPDX-License-Identifier: MIT
#include "platform/app/rpc/control_socket.h"

#include "platform/app/plain_text.h"
#include "platform/linux/clock.h"

namespace hawser::app {

Result<std::unique_ptr<ControlSocket>, std::string> ControlSocket::open(control::Loop& loop,
                                                                        const rpc::ServerSettings& settings) {
    auto server = rpc::Server::open(loop, settings);
    if (!server) return Failure{server.error()};
    return std::unique_ptr<ControlSocket>(new ControlSocket(loop, std::move(server).value()));
}

ControlSocket::ControlSocket(control::Loop& loop, std::unique_ptr<rpc::Server> server)
    : loop_(loop), server_(std::move(server)) {
    server_->add_topic("stats", "what get_stats answers, each second", [this](bool wanted) { time_stats(wanted); });
    server_->add_topic("events", "what happens to links, groups and sessions, at once", {});
    server_->add_topic("log", "each line of the log, at once", {});
    loop_.watch(stats_due_.fd(), [this] {
        stats_due_.acknowledge();
        // The last subscriber may have left in the turn that found the timer due.
        if (stats_at_ == never) return;
        stats_at_ = stats_at_ + stats_interval;
        stats_due_.set(stats_at_);
        ask_for_stats_();
    });
    set_log_listener([this](Level level, std::string_view line) { on_log_line(level, line); });
}

ControlSocket::~ControlSocket() {
    set_log_listener({});
    loop_.unwatch(stats_due_.fd());
}

void ControlSocket::time_stats(bool wanted) {
    stats_at_ = wanted ? os::now() + stats_interval : never;
    stats_due_.set(stats_at_);
}

void ControlSocket::on_log_line(Level level, std::string_view line) {
    Json entry{{"time", utc_text()}, {"level", name_of(level)}, {"text", line}};
    server_->publish("log", entry);
    if (recent_.size() == recent_lines_max) recent_.pop_front();
    recent_.push_back(std::move(entry));
}

void ControlSocket::serve(std::function<void()> ask_for_stats, std::function<bool()> is_fresh,
                          std::function<Result<Unit, std::string>()> reload) {
    ask_for_stats_ = std::move(ask_for_stats);
    server_->set_readiness(std::move(is_fresh));
    methods().add({"version", rpc::Role::observe,
                   [](const rpc::Params&, const rpc::Caller&) -> rpc::Outcome {
                       return Json{{"program", "hawser"}, {"version", HAWSER_VERSION}};
                   },
                   "the program and its version"});
    methods().add({"log.recent", rpc::Role::observe,
                   [this](const rpc::Params&, const rpc::Caller&) -> rpc::Outcome {
                       return Json{{"lines", std::vector<Json>(recent_.begin(), recent_.end())}};
                   },
                   "the newest lines of the log"});
    methods().add({"reload", rpc::Role::operate,
                   [reload = std::move(reload)](const rpc::Params&, const rpc::Caller& caller) -> rpc::Outcome {
                       log(Level::info, "reload, asked for by {}", caller.who);
                       const auto done = reload();
                       if (!done) return Failure{rpc::Error{rpc::Code::refused, done.error()}};
                       return Json{{"reloaded", true}};
                   },
                   "as SIGHUP: what is in files is read again, names are looked up again"});
    server_->serve();
}

}  // namespace hawser::app
