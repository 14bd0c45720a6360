// SPDX-License-Identifier: MIT
#include "platform/control/rpc/server.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "engine/base/check.h"
#include "platform/control/rpc/arguments.h"
#include "platform/linux/clock.h"

namespace hawser::rpc {

namespace {

constexpr int accepts_per_turn = 32;
constexpr int lines_per_turn = 16;
constexpr std::size_t read_bytes = 16 * 1024;
// Answers that may wait before a client is asked nothing more.
constexpr std::size_t answer_bytes_high = 256 * 1024;
constexpr Duration accept_pause{1'000'000'000};

// Of what was sent there; zero when it has been read, or the kernel does not tell.
std::size_t left_in_kernel(const os::Fd& fd) {
    int bytes = 0;
    return ::ioctl(fd.get(), SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

}  // namespace

Result<std::unique_ptr<Server>, std::string> Server::open(control::Loop& loop, const ServerSettings& settings) {
    auto listener = Listener::open(settings.path, settings.group);
    if (!listener) return Failure{listener.error()};
    return std::unique_ptr<Server>(new Server(loop, std::move(listener).value(), settings.group_operates));
}

Server::Server(control::Loop& loop, Listener listener, bool group_operates)
    : loop_(loop), listener_(std::move(listener)), group_operates_(group_operates) {
    add_own_methods();
    loop_.watch(chores_.fd(), [this] {
        chores_.acknowledge();
        work_on();
    });
}

Server::~Server() {
    loop_.unwatch(listener_.fd());
    loop_.unwatch(chores_.fd());
    for (const auto& client : clients_) loop_.unwatch(client->fd.get());
}

void Server::add_own_methods() {
    methods_.add(
        {"rpc.methods", Role::observe,
         [this](const Params&, const Caller& caller) -> Outcome {
             Json topics = Json::array();
             for (const Topic& t : topics_) topics.push_back(Json{{"topic", t.name}, {"help", t.help}});
             return Json{{"role", name_of(caller.role)}, {"methods", methods_.list()}, {"topics", std::move(topics)}};
         },
         "what can be asked, by whom, the topics, and the caller's own role"});
    methods_.add({"rpc.clients", Role::operate,
                  [this](const Params&, const Caller&) -> Outcome { return clients_json(); },
                  "who is connected, and what they lost by reading slowly"});
    methods_.add({"subscribe", Role::observe,
                  [this](const Params& params, const Caller& caller) { return subscribe(params, caller); },
                  "topic: push its events on this connection; answers subscription_id"});
    methods_.add({"unsubscribe", Role::observe,
                  [this](const Params& params, const Caller& caller) { return unsubscribe(params, caller); },
                  "subscription_id: push no more of them; answers removed"});
}

void Server::add_topic(std::string name, std::string help, std::function<void(bool)> on_change) {
    HAWSER_CHECK(clients_.empty());
    topics_.push_back(Topic{std::move(name), std::move(help), std::move(on_change), 0});
}

void Server::serve() {
    loop_.watch(listener_.fd(), [this] { accept(); });
}

Server::Client* Server::find(std::uint64_t id) {
    for (const auto& client : clients_)
        if (client->caller.client == id) return client.get();
    return nullptr;
}

std::size_t Server::topic_index(std::string_view name) const {
    const auto found = std::find_if(topics_.begin(), topics_.end(), [&](const Topic& t) { return t.name == name; });
    return static_cast<std::size_t>(found - topics_.begin());
}

// -------- clients come and go

void Server::accept() {
    for (int i = 0; i < accepts_per_turn; ++i) {
        os::Fd fd(::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd.is_open()) {
            admit(std::move(fd));
            continue;
        }
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) break;
        // No descriptor or no memory: they wait in the kernel's queue, and we do not turn on the spot.
        accept_again_at_ = os::now() + accept_pause;
        loop_.set_interest(listener_.fd(), false, false);
        break;
    }
    tend();
}

Server::Client* Server::silent_one(Instant now) {
    Client* longest = nullptr;
    for (const auto& client : clients_) {
        const bool subscribes = std::find(client->topics.begin(), client->topics.end(), true) != client->topics.end();
        note_reading(*client);
        const bool listens = subscribes && now - client->read_at < idle_min;
        if (client->is_gone || listens || now - client->heard_at < idle_min) continue;
        if (longest == nullptr || client->heard_at < longest->heard_at) longest = client.get();
    }
    return longest;
}

void Server::admit(os::Fd fd) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return;
    const Instant now = os::now();
    const bool operates = peer.uid == 0 || peer.uid == ::geteuid() || group_operates_;
    const std::size_t room = operates ? clients_max : clients_max - operator_places;
    if (clients_.size() >= room) {
        if (Client* const silent = silent_one(now)) silent->is_gone = true;
        forget_gone();
    }
    if (clients_.size() >= room) {
        ++clients_refused_;
        const std::string line =
            error_text("null", Error{Code::busy, "too many clients",
                                     Json{{"clients", clients_.size()}, {"clients_max", clients_max}}}) +
            "\n";
        // Its socket buffer is empty: the line fits, or the client is gone.
        [[maybe_unused]] const auto sent = ::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    auto client = std::make_unique<Client>();
    client->fd = std::move(fd);
    client->pid = peer.pid;
    client->uid = peer.uid;
    client->caller.role = operates ? Role::operate : Role::observe;
    client->caller.client = ++clients_ever_;
    client->caller.who = "uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid);
    client->topics.resize(topics_.size());
    client->heard_at = client->read_at = now;
    loop_.watch(client->fd.get(), [this, id = client->caller.client] { on_client(id); });
    clients_.push_back(std::move(client));
}

void Server::forget_gone() {
    for (const auto& client : clients_) {
        if (!client->is_gone) continue;
        for (std::size_t t = 0; t < topics_.size(); ++t) set_subscribed(*client, t, false);
        loop_.unwatch(client->fd.get());
    }
    clients_.erase(std::remove_if(clients_.begin(), clients_.end(), [](const auto& c) { return c->is_gone; }),
                   clients_.end());
}

// -------- one client

void Server::on_client(std::uint64_t id) {
    Client* const client = find(id);
    if (client == nullptr) return;
    write(*client);
    if (!client->is_gone && reads(*client)) {
        read(*client);
        work(*client);
    }
    tend();
}

bool Server::reads(const Client& client) {
    return !client.has_ended && !client.has_more && client.outbox.answer_bytes() < answer_bytes_high;
}

void Server::read(Client& client) {
    std::array<char, read_bytes> bytes;
    const ssize_t count = ::recv(client.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) {
        client.heard_at = os::now();
        client.lines.add(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
    } else if (count == 0) {
        client.has_ended = true;
        client.lines.add("\n");  // its last line may lack one
    } else if (errno != EAGAIN && errno != EINTR) {
        client.is_gone = true;
    }
}

void Server::work(Client& client) {
    client.has_more = true;
    for (int taken = 0; taken < lines_per_turn && !client.is_gone; ++taken) {
        if (client.outbox.answer_bytes() >= answer_bytes_high) write(client);
        if (client.outbox.answer_bytes() >= answer_bytes_high) break;
        if (client.lines.has_line() && !may_answer()) break;
        const auto line = client.lines.next();
        if (!line) {
            client.has_more = false;
            break;
        }
        if (line->is_too_long) {
            client.outbox.add_answer(error_text("null", Error{Code::invalid_request, "the line is too long",
                                                              Json{{"line_bytes_max", line_bytes_max}}}));
            continue;
        }
        if (line->text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        std::string answer = methods_.answer(line->text, client.caller);
        if (!answer.empty()) client.outbox.add_answer(std::move(answer));
    }
    write(client);
}

bool Server::may_answer() {
    const bool is_ready = !is_ready_ || is_ready_();
    if (is_ready) held_since_ = never;
    if (!is_ready && held_since_ == never) held_since_ = os::now();
    return is_ready || os::now() - held_since_ >= hold_max;
}

void Server::resume() {
    if (held_since_ != never) work_on();
}

// What was sent waits in the kernel until it is read, a hundred kilobytes and more of it.
void Server::note_reading(Client& client) {
    const std::size_t left = left_in_kernel(client.fd);
    if (left == 0 || left < client.unread) client.read_at = os::now();
    client.unread = left;
}

void Server::answer_last(const Error& why_no_changes) {
    methods_.refuse_changes(why_no_changes);
    is_ready_ = {};
    for (const auto& client : clients_) {
        if (client->is_gone) continue;
        if (reads(*client)) read(*client);
        do work(*client);
        while (client->has_more && !client->is_gone && client->outbox.answer_bytes() < answer_bytes_high);
    }
    tend();
}

void Server::write(Client& client) {
    if (client.outbox.is_empty()) return;
    note_reading(client);
    for (std::string_view bytes = client.outbox.next(); !bytes.empty() && !client.is_gone;
         bytes = client.outbox.next()) {
        const ssize_t count = ::send(client.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            client.outbox.take(static_cast<std::size_t>(count));
            client.unread_since = never;
        } else if (errno == EAGAIN || errno == EINTR) {
            break;
        } else {
            client.is_gone = true;
        }
    }
    client.unread = left_in_kernel(client.fd);
}

// -------- after each turn, and when the timer says

void Server::work_on() {
    for (const auto& client : clients_)
        if (client->has_more && !client->is_gone && client->outbox.answer_bytes() < answer_bytes_high) work(*client);
    tend();
}

// One that wants neither is not watched at all: a peer that has closed would wake the loop for nothing, on and on.
void Server::set_interest(Client& client, std::pair<bool, bool> interest) {
    const std::pair<bool, bool> nothing{false, false};
    if (client.interest == interest) return;
    const int fd = client.fd.get();
    if (interest == nothing)
        loop_.unwatch(fd);
    else if (client.interest == nothing)
        loop_.watch(fd, [this, id = client.caller.client] { on_client(id); });
    client.interest = interest;
    if (interest != nothing) loop_.set_interest(fd, interest.first, interest.second);
}

// When it has to be looked after though nothing stirs.
Instant Server::tend(Client& client, Instant now) {
    const std::size_t unread = client.outbox.answer_bytes();
    if (unread == 0) client.unread_since = never;
    if (unread > 0 && client.unread_since == never) client.unread_since = now;
    if (unread > 0 && now - client.unread_since >= answers_unread_max) client.is_gone = true;
    if (client.has_ended && !client.has_more && unread == 0) client.is_gone = true;
    const auto interest = std::pair(reads(client), !client.outbox.is_empty());
    set_interest(client, interest);
    if (client.has_more && unread < answer_bytes_high)
        return held_since_ == never ? now : std::max(now, held_since_ + hold_max);
    return client.unread_since == never ? never : client.unread_since + answers_unread_max;
}

void Server::tend() {
    const Instant now = os::now();
    if (accept_again_at_ <= now) {
        accept_again_at_ = never;
        loop_.set_interest(listener_.fd(), true, false);
    }
    Instant next = accept_again_at_;
    // Whoever was held has been answered: the next that is has all of hold_max again.
    const bool any_waits = std::any_of(clients_.begin(), clients_.end(), [](const auto& c) {
        return c->has_more && !c->is_gone && c->outbox.answer_bytes() < answer_bytes_high;
    });
    if (!any_waits) held_since_ = never;
    for (const auto& client : clients_)
        if (!client->is_gone) next = std::min(next, tend(*client, now));
    forget_gone();
    chores_.set(next);
}

// -------- topics

bool Server::has_subscribers(std::string_view topic) const {
    const std::size_t index = topic_index(topic);
    return index < topics_.size() && topics_[index].subscribers > 0;
}

void Server::set_subscribed(Client& client, std::size_t topic, bool wanted) {
    if (client.topics[topic] == wanted) return;
    client.topics[topic] = wanted;
    if (!wanted) client.outbox.forget(topic);
    Topic& t = topics_[topic];
    t.subscribers += wanted ? 1 : std::size_t(-1);
    if (t.on_change && t.subscribers == (wanted ? 1u : 0u)) t.on_change(wanted);
}

void Server::publish(std::string_view topic, const Json& data) {
    const std::size_t index = topic_index(topic);
    HAWSER_CHECK(index < topics_.size());
    if (topics_[index].subscribers == 0) return;
    const Outbox::Line line = Outbox::line_of(event_text(topic, data));
    bool is_any_slow = false;
    for (const auto& client : clients_) {
        if (client->is_gone || !client->topics[index]) continue;
        const bool was_waiting = !client->outbox.is_empty();
        client->outbox.add_event(index, line);
        if (!was_waiting) write(*client);
        is_any_slow = is_any_slow || client->is_gone || (!was_waiting && !client->outbox.is_empty());
    }
    // Called from a method too, so nobody is forgotten here.
    if (is_any_slow) chores_.set(os::now());
}

Outcome Server::subscribe(const Params& params, const Caller& caller) {
    std::string known;
    for (const Topic& t : topics_) known += (known.empty() ? "one of " : ", ") + t.name;
    const auto topic = text_argument(params, "topic", known);
    if (!topic) return Failure{topic.error()};
    const std::size_t index = topic_index(*topic);
    if (index == topics_.size()) return Failure{bad_argument("topic", known, find_argument(params, "topic"))};
    Client* const client = find(caller.client);
    if (client == nullptr) return Failure{Error{Code::internal_error, "the connection is gone"}};
    set_subscribed(*client, index, true);
    return Json{{"subscription_id", *topic}};
}

Outcome Server::unsubscribe(const Params& params, const Caller& caller) {
    const auto id = text_argument(params, "subscription_id", "as subscribe answered it");
    if (!id) return Failure{id.error()};
    Client* const client = find(caller.client);
    const std::size_t index = topic_index(*id);
    const bool removed = client != nullptr && index < topics_.size() && client->topics[index];
    if (removed) set_subscribed(*client, index, false);
    return Json{{"removed", removed}};
}

Json Server::clients_json() const {
    Json clients = Json::array();
    for (const auto& c : clients_) {
        Json topics = Json::array();
        for (std::size_t t = 0; t < topics_.size(); ++t)
            if (c->topics[t]) topics.push_back(topics_[t].name);
        clients.push_back(Json{{"uid", c->uid},
                               {"pid", c->pid},
                               {"role", name_of(c->caller.role)},
                               {"silence_ms", (os::now() - c->heard_at).ms()},
                               {"subscriptions", std::move(topics)},
                               {"events_lost", c->outbox.events_lost()}});
    }
    return Json{{"clients", std::move(clients)},
                {"clients_max", clients_max},
                {"accepted", clients_ever_},
                {"refused", clients_refused_}};
}

}  // namespace hawser::rpc
