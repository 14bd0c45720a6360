// SPDX-License-Identifier: MIT
// The stand-in radiod on a test's own loop, behind sockets: for tests in a namespace with multicast.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "engine/radio/address.h"
#include "platform/control/radio/group_receiver.h"
#include "platform/linux/clock.h"
#include "tests/radio/stand_in.h"

namespace hawser::test {

class RadiodOnLoop {
public:
    RadiodOnLoop(control::Loop& loop, const Endpoint& group, std::string interface = "lo")
        : loop_(loop),
          group_(group),
          interface_(std::move(interface)),
          receiver_(
              loop, {},
              [this](std::span<const control::Datagram> got) {
                  for (const control::Datagram& d : got)
                      if (radiod_ && !is_deaf_) radiod_->on_command(d.bytes, os::now());
              },
              [](const std::string&) {}) {
        loop_.watch(timer_.fd(), [this] { run(); });
        control::GroupSpec spec;
        spec.group = group_;
        spec.interface = interface_;
        spec.loopback = interface_ == "lo";
        has_joined_ = bool(receiver_.join(spec));
        start();
    }
    ~RadiodOnLoop() { loop_.unwatch(timer_.fd()); }
    RadiodOnLoop(const RadiodOnLoop&) = delete;
    RadiodOnLoop& operator=(const RadiodOnLoop&) = delete;

    // With another port, and without a channel.
    void start() {
        auto opened = control::GroupSender::open(true, 1);
        if (!opened) return;
        sender_ = std::move(opened).value();
        radio_tests::StandInOptions options;
        options.status_group = group_;
        options.media = false;
        options.preset = "am";
        options.source_port = sender_->local().port;
        radiod_ = std::make_unique<radio_tests::StandIn>(options, os::now());
        timer_.set(radiod_->next_deadline());
    }
    void stop() {
        radiod_.reset();
        timer_.set(never);
    }
    void set_deaf(bool deaf) { is_deaf_ = deaf; }
    // So many of the packets that it sends next.
    void lose(int packets) { to_lose_ = packets; }
    [[nodiscard]] bool has_joined() const { return has_joined_; }
    [[nodiscard]] bool has(std::uint32_t ssrc) const { return radiod_ && radiod_->has(ssrc); }
    [[nodiscard]] radio_tests::StandIn& radiod() { return *radiod_; }

private:
    void run() {
        timer_.acknowledge();
        if (!radiod_) return;
        radiod_->run(os::now());
        for (const auto& sent : radiod_->take_sent())
            if (to_lose_ == 0 || to_lose_-- == 0)
                static_cast<void>(sender_->send(sent.bytes, sent.to, control::interface_index(interface_)));
        timer_.set(radiod_->next_deadline());
    }

    control::Loop& loop_;
    Endpoint group_;
    std::string interface_;
    control::Timer timer_;
    control::GroupReceiver receiver_;
    std::optional<control::GroupSender> sender_;
    std::unique_ptr<radio_tests::StandIn> radiod_;
    bool is_deaf_ = false;
    bool has_joined_ = false;
    int to_lose_ = 0;
};

}  // namespace hawser::test
