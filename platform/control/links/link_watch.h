// SPDX-License-Identifier: MIT
// Follows the machine's interfaces on a Loop and tells when they differ from what was told before. The first change
// after a quiet time is told at once; in a storm the table is read at most each settle_time, however much is said.
// Control thread only. Lives no longer than its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "platform/control/links/interface_table.h"
#include "platform/control/loop.h"

namespace hawser::control {

class LinkWatch {
public:
    using Handler = std::function<void(const std::vector<Interface>&)>;

    // Tells what is there before it returns. The error is the kernel's refusal: then it asks again each second, and
    // tells when it is answered. The loop outlives it.
    [[nodiscard]] Result<Unit, Errno> begin(Loop& loop, Handler handler);

private:
    static constexpr Duration settle_time{20'000'000};
    static constexpr Duration retry_time{1'000'000'000};

    [[nodiscard]] Result<Unit, Errno> open();
    void on_bell();
    void read();

    Loop* loop_ = nullptr;
    std::optional<InterfaceTable> table_;
    std::optional<Timer> timer_;
    Handler handler_;
    Instant read_at_{-1'000'000'000'000};
};

}  // namespace hawser::control
