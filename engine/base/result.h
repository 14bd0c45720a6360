// SPDX-License-Identifier: MIT
// Result<T, E>: a value or an error, with the member names of std::expected so that an alias can replace it.
// Access to the wrong side is a bug and stops the program.
#pragma once

#include <utility>
#include <variant>

#include "engine/base/check.h"

namespace hawser {

template <class E>
struct Failure {
    E error;
};
template <class E>
Failure(E) -> Failure<E>;

template <class T, class E>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Failure<E> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& value() & {
        HAWSER_CHECK(has_value());
        return *std::get_if<0>(&state_);
    }
    [[nodiscard]] const T& value() const& {
        HAWSER_CHECK(has_value());
        return *std::get_if<0>(&state_);
    }
    [[nodiscard]] T&& value() && {
        HAWSER_CHECK(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    [[nodiscard]] const E& error() const {
        HAWSER_CHECK(!has_value());
        return *std::get_if<1>(&state_);
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

private:
    std::variant<T, E> state_;
};

struct Unit {};

// A failed system call: errno's value and the call's name (a literal), e.g. {EADDRINUSE, "bind"}.
struct Errno {
    int value = 0;
    const char* call = "";
};

}  // namespace hawser
