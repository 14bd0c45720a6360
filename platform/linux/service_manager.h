// SPDX-License-Identifier: MIT
// What a service manager is told (systemd's Type=notify): datagrams to the socket that NOTIFY_SOCKET names, as
// sd_notify(3) describes them as a stable interface. Without a manager nothing happens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace hawser::os {

class ServiceManager {
public:
    // Reads the environment.
    ServiceManager();

    [[nodiscard]] bool is_there() const { return !path_.empty(); }
    // How often the watchdog is to be told of our life: half of WATCHDOG_USEC; absent: nobody watches this process.
    [[nodiscard]] std::optional<Duration> watchdog_interval() const { return watchdog_; }
    // Lines of NAME=VALUE. Never waits; what cannot be told is not told.
    void tell(std::string_view lines) const;

private:
    std::string path_;  // as in sockaddr_un: an abstract name begins with NUL
    std::optional<Duration> watchdog_;
};

// Whether what this process writes to that descriptor goes to the journal (JOURNAL_STREAM, sd-daemon(3)).
[[nodiscard]] bool is_journal(int fd);

}  // namespace hawser::os
