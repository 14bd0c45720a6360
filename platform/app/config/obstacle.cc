// SPDX-License-Identifier: MIT
#include "platform/app/config/obstacle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "platform/app/budget_file.h"
#include "platform/control/rpc/listener.h"
#include "platform/linux/fd.h"
#include "platform/linux/process.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/socket.h"

namespace hawser::app {

namespace {

// RuntimeDirectory, StateDirectory and LogsDirectory of the units.
bool is_made_at_start(const std::string& folder) {
    constexpr std::string_view made[] = {"/run/hawser", "/var/lib/hawser", "/var/log/hawser"};
    return std::any_of(std::begin(made), std::end(made),
                       [&](std::string_view m) { return folder.substr(0, m.size()) == m; });
}

bool may_be_there(const std::string& folder) {
    return ::access(folder.c_str(), F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

enum class Missing : std::uint8_t { refused, made };

class Obstacles {
public:
    // A file's folder has to be there, or to be made in one that is.
    void look_at(const std::string& key, const std::string& file, Missing missing) {
        if (file.empty()) return;
        std::string folder = std::filesystem::path(file).parent_path().string();
        if (folder.empty()) folder = ".";
        std::string at = folder;
        while (missing == Missing::made && !may_be_there(at) && std::filesystem::path(at).has_relative_path()) {
            at = std::filesystem::path(at).parent_path().string();
            if (at.empty()) at = ".";
        }
        std::error_code none;
        const bool is_file = std::filesystem::exists(at, none) && !std::filesystem::is_directory(at, none);
        if (is_file) errno = ENOTDIR;
        if (is_file || ::faccessat(AT_FDCWD, at.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
            add(fmt::format("{}: {}: {}", key, at, std::strerror(errno)), errno == EACCES || is_made_at_start(folder));
    }
    void look_at(const BitrateFileSettings& s) {
        look_at("encoder: bitrate_file", s.path, Missing::refused);
        const auto process = os::parse_process_id(s.signal);
        if (!process || s.path.empty()) return;
        const auto survives = os::survives(*process, SIGHUP);
        if (!survives) add(fmt::format("encoder: bitrate_signal: there is no process {}", *process), false);
        if (survives == false)
            add(fmt::format("encoder: bitrate_signal: SIGHUP would end process {}", *process), false);
    }
    void look_at(const rpc::ServerSettings& s) {
        if (s.is_usual) return;  // the program goes on without
        if (s.path.empty() && (!s.group.empty() || s.group_operates))
            add("control: group: the file names no socket, so that it is for a service's own", true);
        const std::size_t before = list.size();
        look_at("control: socket", s.path, Missing::refused);
        // Where it is to be is told at the start; a site's own folder may come by then.
        for (std::size_t i = before; i < list.size(); ++i) list[i].may_pass = true;
        if (s.group.empty() || ::geteuid() == 0) return;
        const auto wanted = rpc::group_id(s.group);
        if (!wanted) return;  // refused by its name
        std::vector<gid_t> own(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
        const int count = ::getgroups(static_cast<int>(own.size()), own.data());
        own.resize(static_cast<std::size_t>(std::max(count, 0)));
        if (*wanted != ::getegid() && std::find(own.begin(), own.end(), *wanted) == own.end())
            add(fmt::format("control: group: this process does not belong to {} (a service: SupplementaryGroups={})",
                            s.group, s.group),
                true);
    }
    void look_at(const EventLogSettings& s) {
        if (s.to != event_log_journal) look_at("events: to", s.to, Missing::made);
    }

    // Of a process that runs with `own` nothing is tried of that.
    void look_at_udp(const std::string& key, const std::optional<Endpoint>& at, const std::optional<Endpoint>& own) {
        if (!at || at == own) return;
        SocketSpec spec;
        spec.local = *at;
        if (const auto opened = os::open_udp(spec); !opened) add_port(key, *at, own, opened.error().value);
    }
    void look_at_tcp(const std::string& key, const std::optional<Endpoint>& at, const std::optional<Endpoint>& own) {
        if (!at || at == own) return;
        const int family = at->is_v4() ? AF_INET : AF_INET6;
        const os::Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;  // what has ended a moment ago is in nobody's way
        os::SocketAddress address{};
        const socklen_t length = os::to_sockaddr(*at, family, address);
        const bool can_be = fd.is_open() && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                            ::bind(fd.get(), &address.generic, length) == 0;
        if (!can_be) add_port(key, *at, own, errno);
    }

    std::vector<Obstacle> list;

private:
    void add_port(const std::string& key, const Endpoint& at, const std::optional<Endpoint>& own, int error) {
        // All addresses of a port, or one of them where it has all: its own.
        if (error == EADDRINUSE && own && own->port == at.port) return;
        add(fmt::format("{}: {}: {}", key, os::endpoint_text(at), std::strerror(error)), error == EADDRINUSE);
    }
    void add(std::string text, bool may_pass) { list.push_back({std::move(text), may_pass}); }
};

// Absent: it names none yet.
template <class Request>
std::optional<Endpoint> listens_at(const Request& r) {
    auto at = os::parse_address(r.listen_address);
    if (at) at->port = r.listen_port;
    return at;
}

template <class Request>
std::vector<Obstacle> ports_of(const char* listen_key, const Request& r, const Request* running) {
    Obstacles found;
    found.look_at_udp(listen_key, listens_at(r), running != nullptr ? listens_at(*running) : std::nullopt);
    found.look_at_tcp("metrics: listen", r.metrics, running != nullptr ? running->metrics : std::nullopt);
    return std::move(found.list);
}

bool any_has_budget(const control::LinkPolicies& policies) {
    return std::any_of(policies.rules.begin(), policies.rules.end(),
                       [](const control::LinkRule& r) { return r.policy.budget_bytes > 0; });
}

}  // namespace

std::vector<Obstacle> obstacles_to(const SenderRequest& r) {
    Obstacles found;
    found.look_at(r.bitrate);
    if (!r.state_folder.empty() || any_has_budget(r.policies))
        found.look_at("state_dir", (r.state_folder.empty() ? default_state_folder() : r.state_folder) + "/budgets.json",
                      Missing::made);
    found.look_at(r.control);
    found.look_at(r.events);
    return std::move(found.list);
}

std::vector<Obstacle> obstacles_to(const ReceiverRequest& r) {
    Obstacles found;
    found.look_at(r.control);
    found.look_at(r.events);
    return std::move(found.list);
}

std::vector<Obstacle> port_obstacles_to(const SenderRequest& r, const SenderRequest* running) {
    return ports_of("sender: listen", r, running);
}

std::vector<Obstacle> port_obstacles_to(const ReceiverRequest& r, const ReceiverRequest* running) {
    return ports_of("receiver: listen", r, running);
}

}  // namespace hawser::app
