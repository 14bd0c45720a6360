// SPDX-License-Identifier: MIT
#include "platform/control/links/link_watch.h"

#include <utility>

#include "platform/linux/clock.h"

namespace hawser::control {

Result<Unit, Errno> LinkWatch::begin(Loop& loop, Handler handler) {
    auto table = InterfaceTable::open();
    if (!table) return Failure{table.error()};
    table_.emplace(std::move(table).value());
    timer_.emplace();
    handler_ = std::move(handler);
    loop.watch(table_->fd(), [this] { on_bell(); });
    loop.watch(timer_->fd(), [this] {
        timer_->acknowledge();
        read();
    });
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
