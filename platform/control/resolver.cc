// SPDX-License-Identifier: MIT
#include "platform/control/resolver.h"

#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

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

Resolver::Resolver(Lookup lookup) : shared_(std::make_shared<Shared>()) {
    shared_->ready = os::Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!shared_->ready.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
    worker_ = std::thread([shared = shared_, lookup] { run(*shared, lookup); });
}

Resolver::~Resolver() {
    bool is_looking_up = false;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->is_stopping = true;
        is_looking_up = shared_->is_looking_up;
    }
    shared_->asked.notify_one();
    if (is_looking_up)
        worker_.detach();
    else
        worker_.join();
}

void Resolver::ask(const std::string& host, std::uint16_t port) {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->host = host;
        shared_->port = port;
        shared_->has_question = true;
    }
    shared_->asked.notify_one();
}

std::optional<Resolution> Resolver::take() {
    std::uint64_t count = 0;
    if (::read(shared_->ready.get(), &count, sizeof count) < 0) return std::nullopt;
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->answer, std::nullopt);
}

void Resolver::run(Shared& s, Lookup lookup) {
    os::block_all_signals();
    os::name_this_thread("hawser-names");
    std::unique_lock lock(s.mutex);
    while (true) {
        s.asked.wait(lock, [&s] { return s.is_stopping || s.has_question; });
        if (s.is_stopping) return;
        s.has_question = false;
        s.is_looking_up = true;
        const std::string host = s.host;
        const std::uint16_t port = s.port;
        lock.unlock();
        Resolution answer = lookup(host, port);
        lock.lock();
        s.is_looking_up = false;
        s.answer = std::move(answer);
        const std::uint64_t one = 1;
        // A full eventfd counter is readable already.
        [[maybe_unused]] const auto written = ::write(s.ready.get(), &one, sizeof one);
    }
}

}  // namespace hawser::control
