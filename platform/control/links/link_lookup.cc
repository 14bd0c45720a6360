// SPDX-License-Identifier: MIT
#include "platform/control/links/link_lookup.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "platform/control/links/name_question.h"
#include "platform/control/links/name_servers.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/socket.h"

namespace hawser::control {

namespace {

using Said = NameQuestion::Said;

// A round trip over a bad cellular link, and a question or an answer lost. Untuned.
constexpr std::array<Duration, 2> server_patience{Duration{1'000'000'000}, Duration{2'000'000'000}};

// One uplink's way through its servers.
class Asking {
public:
    Asking(const std::string& host, std::uint16_t port, const LookupWay& way, const std::vector<Endpoint>& usual)
        : way_(way), port_(port) {
        out_.host = host;
        out_.by = AnsweredBy{way.link, {}, {}};
        for (const Endpoint& server : way.servers.empty() ? usual : way.servers) {
            const bool fits = way.socket.local.is_any() || way.socket.local.is_v4() == server.is_v4();
            if (fits && servers_.size() < name_servers_max) servers_.push_back({server, {}});
        }
        if (servers_.empty()) out_.error = "no name server is known for it";
        ask_next();
    }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    [[nodiscard]] bool is_over() const { return !question_; }
    [[nodiscard]] NameQuestion& question() { return *question_; }
    // Of an asking that is over.
    [[nodiscard]] const Resolution& answer() const { return out_; }

    // When its question may have been answered.
    void settle() {
        if (!question_->said()) return;
        take();
        if (question_) {
            ++at_;
            ask_next();
        }
    }
    // Nobody waits any longer.
    void give_up() {
        if (is_over()) return;
        question_->give_up();
        take();
        if (question_) finish_without();
    }

private:
    struct Server {
        Endpoint at;
        std::optional<Said> said;
    };

    // The next server, and after the last one the silent ones again, with more patience.
    void ask_next() {
        for (; round_ < server_patience.size(); ++round_, at_ = 0)
            for (; at_ < servers_.size(); ++at_) {
                if (servers_[at_].said.value_or(Said::silence) != Said::silence) continue;
                question_.emplace(out_.host, servers_[at_].at, way_.socket, server_patience[round_]);
                if (!question_->said()) return;
                take();
                if (!question_) return;
            }
        finish_without();
    }

    // What the server said that was asked last. Good addresses end it.
    void take() {
        servers_[at_].said = question_->said();
        if (question_->said() != Said::addresses) return;
        out_.by->server = servers_[at_].at;
        out_.by->took = question_->took();
        add_addresses();
        question_.reset();
    }

    // As RFC 6724 would have them from this link: those that it has a route to first, IPv6 before IPv4.
    void add_addresses() {
        std::vector<std::pair<int, Endpoint>> ranked;
        for (Endpoint address : question_->addresses()) {
            address.port = port_;
            SocketSpec spec = way_.socket;
            spec.connected = true;
            spec.remote = address;
            ranked.emplace_back((os::open_udp(spec) ? 0 : 2) + (address.is_v4() ? 1 : 0), address);
        }
        std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& entry : ranked) out_.add(entry.second);
    }

    void finish_without() {
        question_.reset();
        out_.is_final = !servers_.empty();
        out_.could_ask = false;
        for (const Server& s : servers_) {
            out_.is_final = out_.is_final && s.said && is_denial(*s.said);
            out_.could_ask = out_.could_ask || s.said != Said::unreachable;
            if (!s.said) continue;
            out_.error += (out_.error.empty() ? "" : ", ") + name_server_text(s.at) + " ";
            out_.error += text_of(*s.said);
        }
    }

    const LookupWay& way_;
    std::uint16_t port_;
    Resolution out_;
    std::vector<Server> servers_;
    std::size_t at_ = 0;
    std::size_t round_ = 0;
    std::optional<NameQuestion> question_;  // the one in flight
};

// All at once; `first_is_enough`: until one has an answer.
std::vector<std::unique_ptr<Asking>> ask_all(const std::string& host, std::uint16_t port,
                                             const std::vector<LookupWay>& ways, bool first_is_enough) {
    const std::vector<Endpoint> usual = system_name_servers();
    std::vector<std::unique_ptr<Asking>> all;
    all.reserve(ways.size());
    for (const LookupWay& way : ways) all.push_back(std::make_unique<Asking>(host, port, way, usual));
    const auto is_enough = [&] {
        return first_is_enough &&
               std::any_of(all.begin(), all.end(), [](const auto& a) { return a->is_over() && a->answer().is_good(); });
    };
    const Instant end = os::now() + lookup_limit;
    for (Instant now = os::now(); now < end && !is_enough(); now = os::now()) {
        std::vector<Asking*> open;
        std::vector<pollfd> polled;
        Instant due = end;
        for (const auto& a : all) {
            if (a->is_over()) continue;
            open.push_back(a.get());
            a->question().add_sockets(polled);
            due = std::min(due, a->question().due(now));
        }
        if (open.empty()) break;
        const std::int64_t wait_ms = std::max<std::int64_t>((due - now).ms(), 0) + 1;
        static_cast<void>(::poll(polled.data(), polled.size(), static_cast<int>(wait_ms)));
        for (Asking* const a : open) {
            a->question().work(polled);
            a->settle();
        }
    }
    for (const auto& a : all) a->give_up();
    return all;
}

// What needs no server: an address, or a name of /etc/hosts.
std::optional<Resolution> known_here(const std::string& host, std::uint16_t port) {
    Resolution out;
    out.host = host;
    const auto add = [&](Endpoint address) {
        address.port = port;
        out.add(address);
    };
    if (const auto address = os::parse_address(host)) {
        add(*address);
        return out;
    }
    for (const Endpoint& address : addresses_in_hosts(host)) add(address);
    return out.is_good() ? std::optional<Resolution>(std::move(out)) : std::nullopt;
}

}  // namespace

LookupWay lookup_way(const std::string& link, const UplinkSpec& uplink, std::vector<Endpoint> servers) {
    LookupWay way{link, {}, std::move(servers)};
    std::memcpy(way.socket.device, uplink.device, sizeof way.socket.device);
    // An interface's source says a family, for the sake of the receiver's.
    if (!is_by_device(uplink)) way.socket.local = uplink.source;
    return way;
}

std::vector<LookupWay> lookup_ways(const LinkPlan& plan,
                                   const std::function<std::vector<Endpoint>(const LinkWords&)>& servers_of) {
    std::vector<LookupWay> out;
    for (std::size_t i = 0; i < links_max; ++i) {
        const LinkId link(static_cast<std::uint8_t>(i));
        if (plan.place(link) == LinkPlan::Place::there || plan.place(link) == LinkPlan::Place::flapping)
            out.push_back(lookup_way(plan.name(link), plan.uplink(link), servers_of(words_of(plan, link))));
    }
    return out;
}

std::vector<Resolution> resolve_by_each(const std::string& host, std::uint16_t port,
                                        const std::vector<LookupWay>& ways) {
    std::vector<Resolution> out;
    for (const auto& asking : ask_all(host, port, ways, false)) out.push_back(asking->answer());
    return out;
}

Resolution resolve_by_links(const std::string& host, std::uint16_t port, const std::vector<LookupWay>& ways) {
    if (auto known = known_here(host, port)) return *std::move(known);
    Resolution failure;
    failure.host = host;
    failure.could_ask = false;
    failure.is_final = true;
    for (const auto& asking : ask_all(host, port, ways, true)) {
        const Resolution& answer = asking->answer();
        if (answer.is_good()) return answer;
        failure.error += (failure.error.empty() ? "" : "; ") + answer.by->link + ": " + answer.error;
        failure.could_ask = failure.could_ask || answer.could_ask;
        failure.is_final = failure.is_final && (answer.is_final || !answer.could_ask);
    }
    failure.is_final = failure.is_final && failure.could_ask;
    if (ways.empty()) failure.error = "there is no uplink to ask by";
    return failure;
}

}  // namespace hawser::control
