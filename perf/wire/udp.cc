// SPDX-License-Identifier: MIT
#include "perf/wire/udp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace hawser::perf {

void die(const std::string& what) {
    std::fprintf(stderr, "%s: %s (%s)\n", program_invocation_short_name, what.c_str(), std::strerror(errno));
    std::exit(2);
}

std::int64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

sockaddr_in ipv4(std::uint32_t host_order, std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(host_order);
    return a;
}

sockaddr_in ipv4(const std::string& address, std::uint16_t port) {
    sockaddr_in a = ipv4(std::uint32_t{0}, port);
    if (inet_pton(AF_INET, address.c_str(), &a.sin_addr) != 1) {
        errno = EINVAL;
        die("'" + address + "' is not an IPv4 address");
    }
    return a;
}

namespace {

sockaddr* generic(sockaddr_in* a) { return static_cast<sockaddr*>(static_cast<void*>(a)); }

// 8 MB: thousands of packets of slack, so that a loss is the measured program's and not the bench's.
constexpr int buffer_bytes = 8 * 1024 * 1024;

void widen(int fd, int forced, int plain) {
    // The forced form needs privileges; without them the system's limit caps the plain one.
    if (setsockopt(fd, SOL_SOCKET, forced, &buffer_bytes, sizeof buffer_bytes) != 0 &&
        setsockopt(fd, SOL_SOCKET, plain, &buffer_bytes, sizeof buffer_bytes) != 0)
        die("setsockopt");
}

}  // namespace

Socket::Socket(const sockaddr_in& local) : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) die("socket");
    widen(fd_, SO_RCVBUFFORCE, SO_RCVBUF);
    widen(fd_, SO_SNDBUFFORCE, SO_SNDBUF);
    sockaddr_in name = local;
    if (bind(fd_, generic(&name), sizeof name) != 0) die("bind to port " + std::to_string(ntohs(local.sin_port)));
}

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Socket::~Socket() {
    if (fd_ >= 0) close(fd_);
}

sockaddr_in Socket::local() const {
    sockaddr_in name{};
    socklen_t length = sizeof name;
    if (getsockname(fd_, generic(&name), &length) != 0) die("getsockname");
    return name;
}

void Socket::connect(const sockaddr_in& to) const {
    sockaddr_in name = to;
    if (::connect(fd_, generic(&name), sizeof name) != 0) die("connect");
}

std::uint16_t free_port() {
    const Socket probe(ipv4(loopback, 0));
    return ntohs(probe.local().sin_port);
}

ReceiveBatch::ReceiveBatch(unsigned count, unsigned bytes)
    : bytes_(bytes), storage_(std::size_t{count} * bytes), parts_(count), names_(count), messages_(count) {
    for (unsigned i = 0; i < count; ++i) {
        parts_[i] = {data(i), bytes};
        messages_[i].msg_hdr.msg_iov = &parts_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
        messages_[i].msg_hdr.msg_name = &names_[i];
        messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
}

unsigned ReceiveBatch::receive(int fd) {
    const int n = recvmmsg(fd, messages_.data(), capacity(), MSG_DONTWAIT | MSG_TRUNC, nullptr);
    return n > 0 ? static_cast<unsigned>(n) : 0;
}

SendBatch::SendBatch(unsigned count, unsigned bytes)
    : bytes_(bytes), storage_(std::size_t{count} * bytes), parts_(count), names_(count), messages_(count) {
    for (unsigned i = 0; i < count; ++i) {
        parts_[i].iov_base = storage_.data() + std::size_t{i} * bytes;
        messages_[i].msg_hdr.msg_iov = &parts_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
        messages_[i].msg_hdr.msg_name = &names_[i];
        messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
}

void SendBatch::add(int fd, std::span<const std::uint8_t> bytes, const sockaddr_in& to) {
    if (used_ == messages_.size()) flush(fd);
    if (bytes.size() > bytes_) bytes = bytes.first(bytes_);
    std::memcpy(parts_[used_].iov_base, bytes.data(), bytes.size());
    parts_[used_].iov_len = bytes.size();
    names_[used_] = to;
    ++used_;
}

void SendBatch::flush(int fd) {
    unsigned done = 0;
    while (done < used_) {
        const int n = sendmmsg(fd, messages_.data() + done, used_ - done, MSG_DONTWAIT);
        if (n > 0) {
            done += static_cast<unsigned>(n);
        } else {
            ++refused_;
            ++done;
        }
    }
    used_ = 0;
}

}  // namespace hawser::perf
