// SPDX-License-Identifier: MIT
#include "platform/app/nearest_word.h"

#include <algorithm>

namespace hawser::app {

namespace {

// Longer words are no slips of the pen, and the table stays small.
constexpr std::size_t word_max = 64;

// Optimal string alignment: Damerau-Levenshtein, each letter edited once.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({changed, last[j] + 1, row[j - 1] + 1});
            const bool exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (exchanged) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
    if (word.empty() || word.size() > word_max) return {};
    std::size_t least = (word.size() + 2) / 3 + 1;
    const std::string* nearest = nullptr;
    for (const std::string& k : known) {
        if (k.size() > word_max) continue;
        const std::size_t d = distance(word, k);
        if (d >= least) continue;
        least = d;
        nearest = &k;
    }
    return nearest != nullptr ? *nearest : std::string();
}

}  // namespace hawser::app
