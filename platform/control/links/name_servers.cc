// SPDX-License-Identifier: MIT
#include "platform/control/links/name_servers.h"

#include <algorithm>
#include <fstream>

#include "platform/control/quoted.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

constexpr std::string_view blanks = " \t";
// Of a file that others write: more than this is no list of servers.
constexpr std::size_t lines_max = 1000;
constexpr std::size_t line_bytes_max = 1000;

// The next word, which is taken off the text.
std::string_view take_server_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const std::size_t end = std::min(text.find_first_of(blanks), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

void add_once(std::vector<Endpoint>& to, const Endpoint& server) {
    if (std::find(to.begin(), to.end(), server) == to.end()) to.push_back(server);
}

}  // namespace

Result<Endpoint, std::string> parse_name_server(std::string_view text) {
    auto server = os::parse_address(text);
    if (server)
        server->port = name_server_port;
    else
        server = os::parse_endpoint(text);
    if (!server || server->port == 0 || server->is_any())
        return Failure{quoted(text) + " is no name server: ADDRESS, or ADDRESS:PORT (an IPv6 address in brackets)"};
    return *server;
}

Result<std::vector<Endpoint>, std::string> parse_name_servers(std::string_view text) {
    std::vector<Endpoint> out;
    for (std::string_view word = take_server_word(text); !word.empty(); word = take_server_word(text)) {
        const auto server = parse_name_server(word);
        if (!server) return Failure{server.error()};
        add_once(out, *server);
    }
    if (out.size() > name_servers_max) return Failure{"at most " + std::to_string(name_servers_max) + " name servers"};
    return out;
}

std::string name_server_text(const Endpoint& server) {
    return server.port == name_server_port ? os::address_text(server) : os::endpoint_text(server);
}

std::vector<Endpoint> name_servers_of(const std::string& resolv_conf) {
    std::vector<Endpoint> out;
    std::ifstream file(resolv_conf);
    std::string line;
    for (std::size_t i = 0; i < lines_max && out.size() < name_servers_max && std::getline(file, line); ++i) {
        std::string_view rest = line;
        if (line.size() > line_bytes_max || take_server_word(rest) != "nameserver") continue;
        auto server = os::parse_address(take_server_word(rest));
        if (!server || server->is_any() || server->is_loopback()) continue;
        server->port = name_server_port;
        add_once(out, *server);
    }
    return out;
}

std::vector<Endpoint> system_name_servers() {
    // systemd-resolved.service(8) and NetworkManager.conf(5) document the two others as made for such readers.
    for (const char* path :
         {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf"})
        if (auto servers = name_servers_of(path); !servers.empty()) return servers;
    return {};
}

}  // namespace hawser::control
