// SPDX-License-Identifier: MIT
#include "platform/control/http/server.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "platform/linux/clock.h"
#include "platform/linux/fd.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

constexpr unsigned connections_max = 32;
// Without a byte, and from one whole request to the end of the next one: who sends or takes a byte now and then gives
// his place up too.
constexpr unsigned connection_seconds_max = 10;
constexpr Duration request_time_max{std::int64_t{connection_seconds_max} * 1'000'000'000};
constexpr Duration pause{20'000'000};               // untuned
constexpr std::size_t connection_bytes_max = 8192;  // of a request's head, libmicrohttpd's buffers included

MHD_Result answer(MHD_Connection* connection, unsigned status, const std::string& type, const std::string& body) {
    MHD_Response* const response =
        MHD_create_response_from_buffer(body.size(), const_cast<char*>(body.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

// Called once when the head is there, which only a mark in `state` tells from the second time, when it is complete.
MHD_Result on_request(void* handler, MHD_Connection* connection, const char* url, const char* method, const char*,
                      const char*, std::size_t* upload_bytes, void** state) {
    static constexpr std::string_view plain = "text/plain; charset=utf-8";
    if (*state == nullptr) {
        *state = handler;
        const bool reads =
            std::strcmp(method, MHD_HTTP_METHOD_GET) == 0 || std::strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
        // Now or never: while a body comes in, no answer is taken.
        if (!reads) return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, std::string(plain), "only GET and HEAD\n");
        return MHD_YES;
    }
    if (*upload_bytes != 0) {
        *upload_bytes = 0;
        return MHD_YES;
    }
    const auto reply = (*static_cast<HttpServer::Handler*>(handler))(url);
    if (!reply) return answer(connection, MHD_HTTP_NOT_FOUND, std::string(plain), "no such page\n");
    return answer(connection, MHD_HTTP_OK, reply->type, reply->body);
}

// Made here, so that the error is the system's own.
Result<os::Fd, std::string> listen_at(const Endpoint& at) {
    const auto fail = [&](const char* what) {
        return Failure{std::string(what) + " " + os::endpoint_text(at) + ": " + std::strerror(errno)};
    };
    const int family = at.is_v4() ? AF_INET : AF_INET6;
    os::SocketAddress address{};
    const socklen_t length = os::to_sockaddr(at, family, address);
    os::Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return fail("no socket for");
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd.get(), &address.generic, length) != 0) return fail("cannot bind");
    if (::listen(fd.get(), static_cast<int>(connections_max)) != 0) return fail("cannot listen at");
    return fd;
}

}  // namespace

struct HttpServer::Daemon {
    Daemon() = default;
    ~Daemon() {
        if (daemon != nullptr) MHD_stop_daemon(daemon);
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    static void on_connection(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode what) {
        auto& due = static_cast<Daemon*>(self)->due;
        if (what == MHD_CONNECTION_NOTIFY_STARTED)
            due[connection] = os::now() + request_time_max;
        else
            due.erase(connection);
    }
    static void on_completed(void* self, MHD_Connection* connection, void**, MHD_RequestTerminationCode) {
        auto& due = static_cast<Daemon*>(self)->due;
        if (const auto found = due.find(connection); found != due.end()) found->second = os::now() + request_time_max;
    }
    // Ends those that take too long; when the next one would.
    Instant end_slow(Instant now) {
        Instant next = never;
        for (auto& [connection, at] : due) {
            if (at > now) {
                next = std::min(next, at);
                continue;
            }
            // libmicrohttpd finds it closed.
            ::shutdown(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd, SHUT_RDWR);
            at = never;
        }
        return next;
    }

    MHD_Daemon* daemon = nullptr;
    std::map<MHD_Connection*, Instant> due;  // when each is to be done with its request
};

HttpServer::HttpServer(Loop& loop, Handler handler) : loop_(loop), handler_(std::move(handler)) {}

HttpServer::~HttpServer() {
    if (!daemon_) return;
    loop_.unwatch(due_.fd());
    loop_.unwatch(epoll());
}

Result<std::unique_ptr<HttpServer>, std::string> HttpServer::open(Loop& loop, const Endpoint& at, Handler handler) {
    auto listener = listen_at(at);
    if (!listener) return Failure{listener.error()};
    std::unique_ptr<HttpServer> server(new HttpServer(loop, std::move(handler)));
    sockaddr_storage local{};
    socklen_t length = sizeof local;
    ::getsockname(listener->get(), reinterpret_cast<sockaddr*>(&local), &length);
    server->local_ = os::from_sockaddr(&local);
    // The daemon closes what it is given, but only if it starts.
    const int given = ::fcntl(listener->get(), F_DUPFD_CLOEXEC, 0);
    server->daemon_ = std::make_unique<Daemon>();
    Daemon* const owner = server->daemon_.get();
    owner->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, nullptr, nullptr, &on_request, &server->handler_, MHD_OPTION_LISTEN_SOCKET, given,
        MHD_OPTION_CONNECTION_LIMIT, connections_max, MHD_OPTION_CONNECTION_TIMEOUT, connection_seconds_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_bytes_max, MHD_OPTION_NOTIFY_CONNECTION, &Daemon::on_connection,
        owner, MHD_OPTION_NOTIFY_COMPLETED, &Daemon::on_completed, owner, MHD_OPTION_END);
    if (owner->daemon == nullptr) {
        server->daemon_.reset();
        if (given >= 0) ::close(given);
        return Failure{"the web server at " + os::endpoint_text(server->local_) + " does not start"};
    }
    HttpServer* const self = server.get();
    loop.watch(server->epoll(), [self] { self->run(); });
    loop.watch(server->due_.fd(), [self] {
        self->due_.acknowledge();
        self->run();
    });
    return server;
}

void HttpServer::run() {
    MHD_Daemon* const daemon = daemon_->daemon;
    const auto connections = [&] {
        return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
    };
    // A run that found all places taken listens again in the next one only, which may have no other cause.
    unsigned before = 0;
    do {
        before = connections();
        MHD_run(daemon);
    } while (connections() < before);
    // Somebody waits who cannot be accepted, for want of a descriptor: not on the spot.
    pollfd waits{epoll(), POLLIN, 0};
    const bool is_stuck = ::poll(&waits, 1, 0) > 0 && connections() == before;
    loop_.set_interest(waits.fd, !is_stuck, false);
    // Who came in this run counts too.
    const Instant now = os::now();
    const Instant slow_at = daemon_->end_slow(now);
    unsigned long long ms = 0;
    if (is_stuck)
        due_.set(std::min(slow_at, now + pause));
    else if (MHD_get_timeout(daemon, &ms) == MHD_YES)
        due_.set(std::min(slow_at, now + Duration{static_cast<std::int64_t>(ms) * 1'000'000}));
    else
        due_.set(slow_at);
}

int HttpServer::epoll() const { return MHD_get_daemon_info(daemon_->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd; }

}  // namespace hawser::control
