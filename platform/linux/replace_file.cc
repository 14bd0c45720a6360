// SPDX-License-Identifier: MIT
#include "platform/linux/replace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform/linux/fd.h"

namespace hawser::os {

Result<Unit, Errno> replace_file(const std::string& path, std::string_view text) {
    const std::string draft = path + "." + std::to_string(::getpid());
    ::unlink(draft.c_str());
    const Fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file.is_open()) return Failure{Errno{errno, "open"}};
    const auto fail = [&](const char* call) {
        const Errno error{errno, call};
        ::unlink(draft.c_str());
        return Failure{error};
    };
    errno = ENOSPC;  // what a short write means
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return fail("write");
    if (std::rename(draft.c_str(), path.c_str()) != 0) return fail("rename");
    return Unit{};
}

}  // namespace hawser::os
