// SPDX-License-Identifier: MIT
// A file descriptor with one owner, closed once.
#pragma once

#include <unistd.h>

#include <utility>

namespace hawser::os {

class Fd {
public:
    Fd() = default;
    explicit Fd(int value) noexcept : value_(value) {}
    Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            value_ = std::exchange(other.value_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return value_; }
    [[nodiscard]] bool is_open() const noexcept { return value_ >= 0; }
    // Linux releases the descriptor whatever close() answers, so its answer changes nothing.
    void reset() noexcept {
        if (value_ >= 0) ::close(value_);
        value_ = -1;
    }

private:
    int value_ = -1;
};

}  // namespace hawser::os
