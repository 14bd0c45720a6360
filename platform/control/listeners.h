// SPDX-License-Identifier: MIT
// Who wants to be told of something: each owner once, removable at any time, from a listener too. Control thread only.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace hawser::control {

template <class... Args>
class Listeners {
public:
    using Function = std::function<void(Args...)>;

    // False when the owner listens already: it goes on to be told once.
    bool add(const void* owner, Function function) {
        for (const Entry& e : entries_)
            if (e.owner == owner && e.function) return false;
        entries_.push_back({owner, std::move(function)});
        return true;
    }
    bool remove(const void* owner) {
        for (Entry& e : entries_) {
            if (e.owner != owner || !e.function) continue;
            e.function = nullptr;
            if (depth_ == 0) sweep();
            return true;
        }
        return false;
    }
    // In the order of their adding. Who is added meanwhile hears of the next.
    void tell(Args... args) {
        ++depth_;
        for (std::size_t i = 0, n = entries_.size(); i < n; ++i) {
            const Function function = entries_[i].function;  // it may remove itself
            if (function) function(args...);
        }
        if (--depth_ == 0) sweep();
    }
    [[nodiscard]] std::size_t size() const {
        std::size_t count = 0;
        for (const Entry& e : entries_) count += e.function ? 1 : 0;
        return count;
    }

private:
    struct Entry {
        const void* owner;
        Function function;  // empty: removed
    };
    void sweep() {
        std::erase_if(entries_, [](const Entry& e) { return !e.function; });
    }
    std::vector<Entry> entries_;
    int depth_ = 0;
};

}  // namespace hawser::control
