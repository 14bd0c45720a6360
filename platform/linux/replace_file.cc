// SPDX-License-Identifier: MIT
#include "platform/linux/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform/linux/fd.h"

namespace hawser::os {

namespace {

// A new name is on the disk when its folder is.
void sync_folder(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
    const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.is_open()) ::fsync(fd.get());
}

}  // namespace

void make_folders(const std::string& path) {
    for (std::size_t at = path.find('/', 1); at != path.npos; at = path.find('/', at + 1))
        ::mkdir(path.substr(0, at).c_str(), 0755);
}

Result<Unit, Errno> replace_file(const std::string& path, std::string_view text, ReplaceOptions options) {
    if (options.makes_folder) make_folders(path);
    const std::string draft = path + "." + std::to_string(::getpid());
    ::unlink(draft.c_str());
    const mode_t mode = options.is_private ? 0600 : 0644;
    const Fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file.is_open()) return Failure{Errno{errno, "open"}};
    const auto fail = [&](const char* call) {
        const Errno error{errno, call};
        ::unlink(draft.c_str());
        return Failure{error};
    };
    errno = ENOSPC;  // what a short write means
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return fail("write");
    if (options.is_durable && ::fsync(file.get()) != 0) return fail("fsync");
    if (std::rename(draft.c_str(), path.c_str()) != 0) return fail("rename");
    if (options.is_durable) sync_folder(path);
    return Unit{};
}

}  // namespace hawser::os
