// SPDX-License-Identifier: MIT
// Memory that cannot be had ends the program with a word (main.cc), but for work that the program can go on without:
// while one of these lives, its thread is told by std::bad_alloc.
#pragma once

namespace hawser::app {

class LackOfMemory {
public:
    LackOfMemory() { ++depth_; }
    ~LackOfMemory() { --depth_; }
    LackOfMemory(const LackOfMemory&) = delete;
    LackOfMemory& operator=(const LackOfMemory&) = delete;

    [[nodiscard]] static bool is_told() { return depth_ > 0; }

private:
    inline static thread_local int depth_ = 0;
};

}  // namespace hawser::app
