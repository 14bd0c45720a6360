// SPDX-License-Identifier: MIT
#include "perf/bond/own_network.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "platform/linux/fd.h"

namespace hawser::perf {

Result<Unit, std::string> enter_own_network() {
    const auto failed = [](const char* doing) { return Failure{std::string(doing) + ": " + std::strerror(errno)}; };
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return failed("no network namespace of its own");
    const os::Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!any.is_open()) return failed("socket");
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    if (ioctl(any.get(), SIOCSIFFLAGS, &loopback) != 0) return failed("loopback up");
    return Unit{};
}

}  // namespace hawser::perf
