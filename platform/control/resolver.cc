// SPDX-License-Identifier: MIT
#include "platform/control/resolver.h"

#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "platform/linux/sockaddr.h"
#include "platform/linux/thread.h"

namespace hawser::control {

Resolution resolve(const std::string& host, std::uint16_t port) {
    Resolution out;
    out.host = host;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (code != 0) {
        out.error = ::gai_strerror(code);
        out.is_final = code == EAI_NONAME || code == EAI_FAMILY || code == EAI_FAIL;
        return out;
    }
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
        Endpoint e = os::from_sockaddr(a->ai_addr);
        e.port = port;
        const auto known_end = out.resolved.addresses.begin() + out.resolved.count;
        if (std::find(out.resolved.addresses.begin(), known_end, e) != known_end) continue;
        if (out.resolved.count == resolved_max) {
            ++out.left_out;
        } else {
            out.resolved.addresses[out.resolved.count++] = e;
        }
    }
    ::freeaddrinfo(found);
    if (out.resolved.count == 0) {
        out.error = "it has no address";
        out.is_final = true;
    }
    return out;
}

Resolver::Resolver() : ready_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), worker_([this] { run(); }) {}

Resolver::~Resolver() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    asked_.notify_one();
    worker_.join();
}

void Resolver::ask(const std::string& host, std::uint16_t port) {
    {
        const std::lock_guard lock(mutex_);
        host_ = host;
        port_ = port;
        has_question_ = true;
    }
    asked_.notify_one();
}

std::optional<Resolution> Resolver::take() {
    std::uint64_t count = 0;
    if (::read(ready_.get(), &count, sizeof count) < 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
}

void Resolver::run() {
    os::block_all_signals();
    os::name_this_thread("hawser-names");
    std::unique_lock lock(mutex_);
    while (true) {
        asked_.wait(lock, [this] { return stopping_ || has_question_; });
        if (stopping_) return;
        has_question_ = false;
        const std::string host = host_;
        const std::uint16_t port = port_;
        lock.unlock();
        Resolution answer = resolve(host, port);
        lock.lock();
        answer_ = std::move(answer);
        const std::uint64_t one = 1;
        // A full eventfd counter is readable already.
        [[maybe_unused]] const auto written = ::write(ready_.get(), &one, sizeof one);
    }
}

}  // namespace hawser::control
