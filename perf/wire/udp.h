// SPDX-License-Identifier: MIT
// Plain IPv4 UDP for the benches: an owned descriptor, and batches that one recvmmsg or sendmmsg moves.
// Loopback only, no error recovery: a bench that cannot open its sockets stops with a sentence.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hawser::perf {

// Prints "name: what (errno's text)" and leaves with code 2.
[[noreturn]] void die(const std::string& what);

[[nodiscard]] std::int64_t now_ns();  // CLOCK_MONOTONIC

[[nodiscard]] sockaddr_in ipv4(std::uint32_t host_order, std::uint16_t port);
[[nodiscard]] sockaddr_in ipv4(const std::string& address, std::uint16_t port);
inline constexpr std::uint32_t loopback = 0x7F00'0001;

class Socket {
public:
    Socket() = default;
    // A non-blocking UDP socket bound to `local` (port 0: any), with the largest buffers that the system grants.
    explicit Socket(const sockaddr_in& local);
    Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] sockaddr_in local() const;
    void connect(const sockaddr_in& to) const;

private:
    int fd_ = -1;
};

// A port on 127.0.0.1 that nobody has just now.
[[nodiscard]] std::uint16_t free_port();

class ReceiveBatch {
public:
    // Datagrams longer than `bytes` are cut; length() still tells their whole length.
    ReceiveBatch(unsigned count, unsigned bytes);
    ReceiveBatch(const ReceiveBatch&) = delete;
    ReceiveBatch& operator=(const ReceiveBatch&) = delete;

    // How many came; 0 when none is waiting. Never blocks.
    unsigned receive(int fd);
    [[nodiscard]] unsigned capacity() const { return static_cast<unsigned>(messages_.size()); }
    [[nodiscard]] const std::uint8_t* data(unsigned i) const { return storage_.data() + std::size_t{i} * bytes_; }
    [[nodiscard]] std::uint8_t* data(unsigned i) { return storage_.data() + std::size_t{i} * bytes_; }
    [[nodiscard]] unsigned length(unsigned i) const { return messages_[i].msg_len; }
    [[nodiscard]] std::span<const std::uint8_t> bytes(unsigned i) const {
        return {data(i), length(i) < bytes_ ? length(i) : bytes_};
    }
    [[nodiscard]] const sockaddr_in& from(unsigned i) const { return names_[i]; }

private:
    unsigned bytes_;
    std::vector<std::uint8_t> storage_;
    std::vector<iovec> parts_;
    std::vector<sockaddr_in> names_;
    std::vector<mmsghdr> messages_;
};

// Small datagrams to several addresses, copied in and sent by one call.
class SendBatch {
public:
    SendBatch(unsigned count, unsigned bytes);
    SendBatch(const SendBatch&) = delete;
    SendBatch& operator=(const SendBatch&) = delete;

    // Room for one datagram of at most `bytes`; a full batch is flushed first.
    void add(int fd, std::span<const std::uint8_t> bytes, const sockaddr_in& to);
    // Sends what is there. What the kernel refuses is dropped and counted.
    void flush(int fd);
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

private:
    unsigned bytes_;
    unsigned used_ = 0;
    std::uint64_t refused_ = 0;
    std::vector<std::uint8_t> storage_;
    std::vector<iovec> parts_;
    std::vector<sockaddr_in> names_;
    std::vector<mmsghdr> messages_;
};

}  // namespace hawser::perf
