// SPDX-License-Identifier: MIT
// Name lookups off every loop: one worker thread, one question at a time, the newest question wins.
// The control thread asks, watches fd(), and takes the answer; the worker alone blocks in getaddrinfo.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/border/command.h"
#include "platform/linux/fd.h"

namespace hawser::control {

struct Resolution {
    std::string host;
    Resolved resolved;         // count 0 when it failed
    std::string error;         // why; empty when it did not fail
    bool is_final = false;     // the name does not exist: asking again soon is no use
    std::size_t left_out = 0;  // addresses beyond resolved_max
};

// Blocks. Both families, in the order of the system's resolver (RFC 6724), each address once.
[[nodiscard]] Resolution resolve(const std::string& host, std::uint16_t port);

class Resolver {
public:
    using Lookup = Resolution (*)(const std::string& host, std::uint16_t port);

    explicit Resolver(Lookup lookup = resolve);
    // Does not wait for a lookup under way: nothing can hurry getaddrinfo. Its thread ends by itself.
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    void ask(const std::string& host, std::uint16_t port);
    // Readable when an answer waits.
    [[nodiscard]] int fd() const { return shared_->ready.get(); }
    [[nodiscard]] std::optional<Resolution> take();

private:
    // What the worker touches; it holds a share, so that it may outlive the resolver.
    struct Shared {
        os::Fd ready;
        std::mutex mutex;
        std::condition_variable asked;
        bool is_stopping = false;
        bool is_looking_up = false;
        bool has_question = false;
        std::string host;
        std::uint16_t port = 0;
        std::optional<Resolution> answer;
    };
    static void run(Shared& shared, Lookup lookup);

    std::shared_ptr<Shared> shared_;
    std::thread worker_;
};

}  // namespace hawser::control
