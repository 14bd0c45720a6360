// SPDX-License-Identifier: MIT
// Order statistics over small and large samples. All take a copy, since they sort it; an empty sample gives 0.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace hawser::perf {

// q in [0, 1], nearest rank.
template <class T>
[[nodiscard]] T quantile(std::vector<T> sample, double q) {
    if (sample.empty()) return T{};
    const auto rank = static_cast<std::size_t>(q * static_cast<double>(sample.size() - 1) + 0.5);
    const auto at = sample.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(sample.begin(), at, sample.end());
    return *at;
}

[[nodiscard]] inline double median(std::vector<double> sample) {
    if (sample.empty()) return 0;
    std::sort(sample.begin(), sample.end());
    const std::size_t half = sample.size() / 2;
    return sample.size() % 2 != 0 ? sample[half] : (sample[half - 1] + sample[half]) / 2;
}

// Median absolute deviation: the spread that one disturbed repetition does not move.
[[nodiscard]] inline double spread(const std::vector<double>& sample) {
    const double middle = median(sample);
    std::vector<double> distances;
    for (const double x : sample) distances.push_back(std::fabs(x - middle));
    return median(distances);
}

}  // namespace hawser::perf
