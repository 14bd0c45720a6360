// SPDX-License-Identifier: MIT
#include "platform/control/links/link_watch.h"

#include <utility>

#include "platform/linux/clock.h"

namespace hawser::control {

Result<Unit, Errno> LinkWatch::begin(Loop& loop, Handler handler) {
    loop_ = &loop;
    handler_ = std::move(handler);
    timer_.emplace();
    loop.watch(timer_->fd(), [this] {
        timer_->acknowledge();
        if (table_)
            read();
        else
            static_cast<void>(open());
    });
    return open();
}

Result<Unit, Errno> LinkWatch::open() {
    auto table = InterfaceTable::open();
    if (!table) {
        timer_->set(os::now() + retry_time);
        return Failure{table.error()};
    }
    table_.emplace(std::move(table).value());
    loop_->watch(table_->fd(), [this] { on_bell(); });
    handler_(table_->all());
    return Unit{};
}

void LinkWatch::on_bell() {
    if (!table_->take()) return;
    if (os::now() - read_at_ >= settle_time)
        read();
    else
        timer_->set(read_at_ + settle_time);
}

void LinkWatch::read() {
    read_at_ = os::now();
    switch (table_->read()) {
        case InterfaceTable::Read::same: break;
        case InterfaceTable::Read::changed: handler_(table_->all()); break;
        case InterfaceTable::Read::failed: timer_->set(read_at_ + retry_time); break;
    }
}

}  // namespace hawser::control
