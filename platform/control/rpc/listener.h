// SPDX-License-Identifier: MIT
// The socket file that clients find: bound with its mode and group in place before anybody can connect, and removed at
// the end if it is still ours. The file of a dead process is replaced; that of a live one, or anything that is no
// socket, is left alone and named. Two that start at the same time agree by a lock on the folder.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "engine/base/result.h"
#include "platform/linux/fd.h"

namespace hawser::rpc {

// Of a group's name or number.
[[nodiscard]] std::optional<gid_t> group_id(const std::string& group);

class Listener {
public:
    // `group`: a name or a number, empty for the process's own. The mode is 0660. The error is a sentence.
    [[nodiscard]] static Result<Listener, std::string> open(const std::string& path, const std::string& group);
    ~Listener();
    Listener(Listener&&) = default;
    Listener& operator=(Listener&&) = delete;

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    Listener(os::Fd fd, std::string path, dev_t device, ino_t inode)
        : fd_(std::move(fd)), path_(std::move(path)), device_(device), inode_(inode) {}

    os::Fd fd_;
    std::string path_;
    dev_t device_;
    ino_t inode_;
};

}  // namespace hawser::rpc
