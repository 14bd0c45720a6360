// SPDX-License-Identifier: MIT
#include "platform/linux/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace hawser::os {

Result<Fd, Errno> lock_file(const std::string& path) {
    Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!lock.is_open()) return Failure{Errno{errno, "open"}};
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return Failure{Errno{errno, "flock"}};
    return lock;
}

}  // namespace hawser::os
