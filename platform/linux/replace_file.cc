// SPDX-License-Identifier: MIT
#include "platform/linux/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

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

Result<FileDraft, Errno> FileDraft::begin(const std::string& path, ReplaceOptions options) {
    if (options.makes_folder) make_folders(path);
    std::string draft = path + "." + std::to_string(::getpid());
    ::unlink(draft.c_str());
    const mode_t mode = options.is_private ? 0600 : 0644;
    Fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file.is_open()) return Failure{Errno{errno, "open"}};
    return FileDraft(std::move(file), path, std::move(draft), options.is_durable);
}

FileDraft::~FileDraft() {
    if (file_.is_open()) ::unlink(draft_.c_str());
}

Result<Unit, Errno> FileDraft::write(std::string_view text) {
    errno = ENOSPC;  // what a short write means
    if (::write(file_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return Failure{Errno{errno, "write"}};
    return Unit{};
}

Result<Unit, Errno> FileDraft::finish() {
    if (is_durable_ && ::fsync(file_.get()) != 0) return Failure{Errno{errno, "fsync"}};
    if (std::rename(draft_.c_str(), path_.c_str()) != 0) return Failure{Errno{errno, "rename"}};
    file_.reset();
    if (is_durable_) sync_folder(path_);
    return Unit{};
}

Result<Unit, Errno> replace_file(const std::string& path, std::string_view text, ReplaceOptions options) {
    auto draft = FileDraft::begin(path, options);
    if (!draft) return Failure{draft.error()};
    if (auto written = draft->write(text); !written) return written;
    return draft->finish();
}

}  // namespace hawser::os
