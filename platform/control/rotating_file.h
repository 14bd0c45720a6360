// SPDX-License-Identifier: MIT
// A log file of bounded size: what is written is appended as a whole or not at all, and where it would grow too large
// the file becomes PATH.1, in place of an earlier one. Made readable by its owner and group, 0640, whatever the umask;
// links are not followed. Its owner holds PATH.lock, which nobody else may open: two that rotated one file would lose
// each other's lines. Calls may block: they belong on a worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "platform/linux/fd.h"

namespace hawser::control {

class RotatingFile {
public:
    // Both files together have at most twice `bytes_max`, and one write more.
    RotatingFile(std::string path, std::uint64_t bytes_max) : path_(std::move(path)), bytes_max_(bytes_max) {}

    // Makes the folders on the way and the file, or goes on with the one that is there. EWOULDBLOCK: another program
    // has it open. ENOTSUP: it is no file.
    [[nodiscard]] Result<Unit, Errno> open();
    // After a failure it may be tried again: what was not written whole has left no trace.
    [[nodiscard]] Result<Unit, Errno> append(std::string_view text);
    // Somebody has moved it away (logrotate): the next append makes a new one.
    void close() { file_.reset(); }

private:
    std::string path_;
    std::uint64_t bytes_max_;
    std::uint64_t size_ = 0;
    os::Fd file_;
    os::Fd lock_;  // from the first file on, to the end
};

}  // namespace hawser::control
