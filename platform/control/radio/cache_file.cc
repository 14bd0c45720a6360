// SPDX-License-Identifier: MIT
#include "platform/control/radio/cache_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/control/radio/cache_text.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/fd.h"
#include "platform/linux/replace_file.h"

namespace hawser::control {

namespace {

// Held until it is closed. A lock that cannot be had, or is held by a process that was stopped, is no reason to lose
// what was learned: without it two writers at once lose no more than what one of them learned.
os::Fd lock_cache(const std::string& path) {
    constexpr int tries_max = 500;
    constexpr useconds_t interval_us = 10'000;
    os::Fd lock(::open((path + ".lock").c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!lock.is_open()) return lock;
    for (int i = 0; i < tries_max && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; ++i)
        ::usleep(interval_us);
    return lock;
}

}  // namespace

std::string read_cache_file(const std::string& path, std::string& complaint) {
    const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.is_open()) {
        if (errno != ENOENT && errno != ENOTDIR) complaint = os::errno_text(Errno{errno, "open"});
        return {};
    }
    struct stat about {};
    if (::fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
        complaint = "it is no file";
        return {};
    }
    if (about.st_size > static_cast<off_t>(cache_file_bytes_max)) {
        complaint = "it is longer than any cache";
        return {};
    }
    std::string text(static_cast<std::size_t>(about.st_size), '\0');
    std::size_t got = 0;
    while (got < text.size()) {
        const ssize_t n = ::read(fd.get(), text.data() + got, text.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    text.resize(got);
    return text;
}

CacheUpdate update_cache_file(const std::string& path, CacheState own, const UnixClock& clock) {
    os::make_folders(path);
    const os::Fd lock = lock_cache(path);
    std::string ignored;
    const CacheReading file = read_cache(read_cache_file(path, ignored));
    if (file.is_foreign) return {.is_foreign = true};
    merge_cache(own, file.state, clock());
    bound_cache(own, cache_file_bytes_max);
    const auto written = os::replace_file(path, cache_text(own), {.is_durable = true, .makes_folder = false});
    if (!written) return {.error = written.error()};
    return {};
}

}  // namespace hawser::control
