// SPDX-License-Identifier: MIT
// Writes Prometheus' text format, version 0.0.4: families with their help and type, each once, and their samples below.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/time_histogram.h"

namespace hawser::app {

[[nodiscard]] constexpr double in_seconds(Duration d) { return static_cast<double>(d.ns) / 1e9; }

class Exposition {
public:
    enum class Type : std::uint8_t { gauge, counter, histogram };
    // Name and value, in this order; a value may hold anything.
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // What follows belongs to it. `name` and the label names are valid ones; a counter's name ends with _total.
    void family(std::string_view name, Type type, std::string_view help);
    void sample(Labels labels, double value);
    void sample(Labels labels, std::uint64_t value);
    void sample(Labels labels, bool value) { sample(labels, std::uint64_t{value}); }
    // In seconds.
    void sample(Labels labels, Duration value) { sample(labels, in_seconds(value)); }
    template <std::int64_t first_ns, std::size_t bounds>
    void histogram(Labels labels, const TimeHistogram<first_ns, bounds>& times) {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i <= bounds; ++i) {
            below += times.counts()[i];
            bucket(labels, i < bounds ? seconds_text(times.bound(i)) : "+Inf", below);
        }
        line("_sum", labels, "", seconds_text(times.sum()));
        line("_count", labels, "", std::to_string(below));
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    void bucket(Labels labels, const std::string& bound, std::uint64_t count);
    void line(std::string_view suffix, Labels labels, std::string_view bound, const std::string& value);
    [[nodiscard]] static std::string seconds_text(Duration time);

    std::string text_;
    std::string name_;
};

}  // namespace hawser::app
