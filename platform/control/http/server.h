// SPDX-License-Identifier: MIT
// A small HTTP server on the control thread (libmicrohttpd without threads of its own): GET and HEAD of paths that one
// handler answers at once, nothing else. Bounded in connections, memory and the time that a request takes; no other
// work of the thread waits for anybody.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "platform/control/loop.h"

namespace hawser::control {

struct HttpReply {
    std::string type;  // as in Content-Type
    std::string body;
};

class HttpServer {
public:
    // Nothing for a path that is not there.
    using Handler = std::function<std::optional<HttpReply>(std::string_view path)>;

    // Serves from now on. `at`: port 0 takes any. The error names the address and what the system said.
    [[nodiscard]] static Result<std::unique_ptr<HttpServer>, std::string> open(Loop& loop, const Endpoint& at,
                                                                               Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] const Endpoint& local() const { return local_; }

private:
    struct Daemon;
    HttpServer(Loop& loop, Handler handler);
    void run();
    [[nodiscard]] int epoll() const;

    Loop& loop_;
    Handler handler_;
    Timer due_;
    Endpoint local_;
    std::unique_ptr<Daemon> daemon_;
};

}  // namespace hawser::control
