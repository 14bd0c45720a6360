// SPDX-License-Identifier: MIT
#include "platform/control/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "platform/linux/lock_file.h"
#include "platform/linux/replace_file.h"

namespace hawser::control {

namespace {

bool ends_in_mid_line(const std::string& path, off_t size) {
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    char last = '\n';
    return size > 0 && ::pread(file.get(), &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

Result<Unit, Errno> RotatingFile::open() {
    os::make_folders(path_);
    constexpr int how = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    os::Fd file(::open(path_.c_str(), how | O_CREAT | O_EXCL, 0600));
    // A service's umask is there for secrets, which this is none of. One that was there keeps its operator's mode.
    if (file.is_open())
        static_cast<void>(::fchmod(file.get(), 0640));
    else if (errno == EEXIST)
        file = os::Fd(::open(path_.c_str(), how));
    struct stat s {};
    if (!file.is_open() || ::fstat(file.get(), &s) != 0) return Failure{Errno{errno, "open"}};
    // A pipe or a device cannot be cut off where a write failed.
    if (!S_ISREG(s.st_mode)) return Failure{Errno{ENOTSUP, "open"}};
    if (!lock_.is_open()) {
        auto lock = os::lock_file(path_ + ".lock");
        if (!lock) return Failure{lock.error()};
        lock_ = std::move(lock).value();
    }
    // A line that a crash or a full disk has cut in half is not to take the next one with it.
    if (ends_in_mid_line(path_, s.st_size) && ::write(file.get(), "\n", 1) == 1) ++s.st_size;
    size_ = static_cast<std::uint64_t>(s.st_size);
    file_ = std::move(file);
    return Unit{};
}

Result<Unit, Errno> RotatingFile::append(std::string_view text) {
    if (file_.is_open() && size_ > 0 && size_ + text.size() > bytes_max_) {
        if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0 && errno != ENOENT)
            return Failure{Errno{errno, "rename"}};
        file_.reset();
    }
    if (!file_.is_open())
        if (const auto opened = open(); !opened) return opened;
    errno = ENOSPC;  // what a short write means
    const ssize_t written = ::write(file_.get(), text.data(), text.size());
    if (written == static_cast<ssize_t>(text.size())) {
        size_ += text.size();
        return Unit{};
    }
    const Errno error{errno, "write"};
    if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) file_.reset();
    return Failure{error};
}

}  // namespace hawser::control
