// SPDX-License-Identifier: MIT
// Bytes of a stream in, whole lines out. A line longer than the bound is told once, as soon as that is known, and
// skipped to its end, so that the memory is bounded however long it goes on. Each byte is looked at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::rpc {

class LineBuffer {
public:
    struct Line {
        std::string_view text;  // without its end; valid until the next call
        bool is_too_long = false;
    };

    explicit LineBuffer(std::size_t line_max) : line_max_(line_max) {}

    void add(std::string_view bytes) { buffer_.append(bytes); }
    // The next complete line, or the news that the one that comes is too long.
    [[nodiscard]] std::optional<Line> next();
    // Whether next() has something to say.
    [[nodiscard]] bool has_line() const;
    // What is left when the stream has ended without a last line end.
    [[nodiscard]] std::string_view rest() const { return std::string_view(buffer_).substr(begin_); }

private:
    void compact();

    std::size_t line_max_;
    std::string buffer_;
    std::size_t begin_ = 0;    // of the first line not given out
    std::size_t scanned_ = 0;  // no line end between begin_ and here
    bool is_skipping_ = false;
};

}  // namespace hawser::rpc
