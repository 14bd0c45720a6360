// SPDX-License-Identifier: MIT
#include "platform/control/radio/growing_file.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <limits.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "platform/linux/clock.h"

namespace hawser::control {

namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;  // untuned: some seconds of audio in one write
constexpr int name_tries_max = 1000;              // tried before a taken name is given up
// What a pipe that is ready to be written to takes without waiting.
constexpr std::size_t stream_bytes = PIPE_BUF;
constexpr int stream_wait_ms = 100;  // between two looks at `stop`

std::size_t name_begin(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? 0 : slash + 1;
}

Result<Unit, Errno> make_folders(const std::string& path) {
    for (std::size_t i = path.find('/', 1); i != std::string::npos; i = path.find('/', i + 1))
        if (::mkdir(path.substr(0, i).c_str(), 0777) != 0 && errno != EEXIST) return Failure{Errno{errno, "mkdir"}};
    return Unit{};
}

// "a/b.wav" and 2 is "a/b-2.wav".
std::string numbered(const std::string& path, int number) {
    if (number == 1) return path;
    std::size_t dot = path.rfind('.');
    if (dot == std::string::npos || dot <= name_begin(path)) dot = path.size();
    return path.substr(0, dot) + "-" + std::to_string(number) + path.substr(dot);
}

}  // namespace

Result<GrowingFile, Errno> GrowingFile::create(const std::string& path) {
    if (const auto made = make_folders(path); !made) return Failure{made.error()};
    GrowingFile file;
    file.path_ = path;
    const std::size_t at = name_begin(path);
    for (int i = 1; i <= name_tries_max && !file.owned_.is_open(); ++i) {
        file.temporary_ = path.substr(0, at) + "." + numbered(path.substr(at), i) + ".part";
        file.owned_ = os::Fd(::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (!file.owned_.is_open() && errno != EEXIST) break;
    }
    if (!file.owned_.is_open()) return Failure{Errno{errno, "open"}};
    file.fd_ = file.owned_.get();
    file.buffer_.reserve(buffer_bytes);
    return file;
}

GrowingFile GrowingFile::over(int fd, const std::atomic<bool>& stop) {
    GrowingFile file;
    file.fd_ = fd;
    file.stop_ = &stop;
    file.buffer_.reserve(buffer_bytes);
    return file;
}

GrowingFile GrowingFile::into(CommandPipe& command) {
    GrowingFile file;
    file.command_ = &command;
    file.buffer_.reserve(buffer_bytes);
    return file;
}

void GrowingFile::set_attribute(const char* name, const std::string& value) {
    if (!owned_.is_open()) return;
    const int result = ::fsetxattr(fd_, (std::string("user.") + name).c_str(), value.data(), value.size(), 0);
    static_cast<void>(result);
}

Result<Unit, Errno> GrowingFile::fail(int error, const char* call) {
    if (!fault_) fault_ = Errno{error, call};
    return Failure{*fault_};
}

Result<Unit, Errno> GrowingFile::note_given(const Result<Unit, Errno>& given, std::uint64_t bytes) {
    if (!given) return fail(given.error().value, given.error().call);
    flushed_ += bytes;
    return Unit{};
}

Result<Unit, Errno> GrowingFile::put(Bytes bytes) {
    if (command_ != nullptr) return note_given(command_->write(bytes, os::now()), bytes.size());
    while (!bytes.empty()) {
        Bytes part = bytes;
        if (is_stream()) {
            part = bytes.first(std::min(bytes.size(), stream_bytes));
            pollfd p{fd_, POLLOUT, 0};
            const int ready = ::poll(&p, 1, stream_wait_ms);
            if (ready == 0 && stop_->load(std::memory_order_relaxed)) return fail(ETIMEDOUT, "write");
            if (ready <= 0) continue;
        }
        const ssize_t n = ::write(fd_, part.data(), part.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return fail(errno, "write");
        flushed_ += static_cast<std::uint64_t>(n);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return Unit{};
}

Result<Unit, Errno> GrowingFile::write(Bytes bytes) {
    if (fault_) return Failure{*fault_};
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return buffer_.size() < buffer_bytes ? Unit{} : flush();
}

Result<Unit, Errno> GrowingFile::write_zeros(std::uint64_t count) {
    if (command_ != nullptr) {
        if (const auto done = flush(); !done) return done;
        return note_given(command_->write_zeros(count, os::now()), count);
    }
    static constexpr std::array<std::uint8_t, 8192> zeros{};
    for (std::uint64_t left = count; left > 0;) {
        const std::uint64_t part = std::min<std::uint64_t>(left, zeros.size());
        if (const auto done = write(Bytes(zeros).first(part)); !done) return done;
        left -= part;
    }
    return Unit{};
}

Result<Unit, Errno> GrowingFile::write_at(std::uint64_t offset, Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(errno, "pwrite");
        offset += static_cast<std::uint64_t>(n);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return Unit{};
}

Result<Unit, Errno> GrowingFile::flush() {
    if (fault_) return Failure{*fault_};
    const auto done = put(buffer_);
    buffer_.clear();
    return done;
}

Result<std::string, Errno> GrowingFile::finish() {
    (void)flush();
    if (is_stream()) return std::string();
    owned_.reset();
    for (int i = 1; i <= name_tries_max; ++i) {
        const std::string name = numbered(path_, i);
        int result = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE);
        // File systems without that flag (NFS, some FUSE): another writer in between would lose.
        if (result != 0 && errno == EINVAL && ::access(name.c_str(), F_OK) != 0)
            result = ::rename(temporary_.c_str(), name.c_str());
        if (result == 0) return name;
        if (errno != EEXIST && errno != EINVAL) break;
    }
    return Failure{Errno{errno, "rename"}};
}

void GrowingFile::discard() {
    if (is_stream()) return;
    owned_.reset();
    ::unlink(temporary_.c_str());
}

}  // namespace hawser::control
