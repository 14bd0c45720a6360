// SPDX-License-Identifier: MIT
#include "platform/control/rpc/listener.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "platform/control/rpc/unix_address.h"

namespace hawser::rpc {

namespace {

constexpr mode_t mode = 0660;
constexpr int backlog = 512;  // connections that wait to be taken; a burst, and the kernel's own bound is above it

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

// Somebody answers there. A process that is stopped or busy is alive too.
bool is_live(const sockaddr_un& address) {
    const os::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    return probe.is_open() && (connect_to(probe.get(), address) == 0 || errno != ECONNREFUSED);
}

}  // namespace

std::optional<gid_t> group_id(const std::string& group) {
    gid_t id = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), id);
    if (error == std::errc() && end == group.data() + group.size()) return id;
    const struct group* found = ::getgrnam(group.c_str());
    if (found == nullptr) return std::nullopt;
    return found->gr_gid;
}

Result<Listener, std::string> Listener::open(const std::string& path, const std::string& group) {
    const auto fail = [&](const std::string& why) { return Failure{"control socket " + path + ": " + why}; };
    const auto fail_call = [&](const char* call) { return fail(std::string(call) + ": " + std::strerror(errno)); };
    const auto address = unix_address(path);
    if (!address) return fail("a path has 1 to " + std::to_string(socket_path_max) + " bytes");
    std::optional<gid_t> owner;
    if (!group.empty()) {
        owner = group_id(group);
        if (!owner) return fail("there is no group '" + group + "'");
    }
    const os::Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) return fail(folder_of(path) + ": " + std::strerror(errno));
    // Held for a moment by whoever opens a socket here. Somebody else's lock is no reason not to start.
    for (int tries = 0; ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0 && tries < 100; ++tries) ::usleep(10'000);

    os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return fail_call("socket");
    // The file gets the socket's own mode when it is bound: nobody else's until its group is set.
    if (::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0) return fail_call("fchmod");
    const auto* const name = reinterpret_cast<const sockaddr*>(&*address);
    if (::bind(fd.get(), name, sizeof *address) != 0) {
        if (errno != EADDRINUSE) return fail_call("bind");
        struct stat old {};
        if (::lstat(path.c_str(), &old) == 0 && !S_ISSOCK(old.st_mode))
            return fail("there is a file that is no socket");
        if (is_live(*address)) return fail("another process serves it");
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_call("unlink");
        if (::bind(fd.get(), name, sizeof *address) != 0) return fail_call("bind");
    }
    struct stat own {};
    if (::lstat(path.c_str(), &own) != 0) return fail_call("stat");
    Listener listener(std::move(fd), path, own.st_dev, own.st_ino);  // from here on it removes the file
    if (owner && ::lchown(path.c_str(), static_cast<uid_t>(-1), *owner) != 0)
        return fail("its group cannot be '" + group + "': " + std::strerror(errno) +
                    " (a process that is not root can give it to groups that it belongs to; a service to those of "
                    "SupplementaryGroups=, without PrivateUsers=)");
    if (::chmod(path.c_str(), mode) != 0) return fail_call("chmod");
    if (::listen(listener.fd(), backlog) != 0) return fail_call("listen");
    return listener;
}

Listener::~Listener() {
    if (!fd_.is_open()) return;
    struct stat now {};
    // Another process may have found us dead and put its own there.
    if (::lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace hawser::rpc
