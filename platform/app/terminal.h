// SPDX-License-Identifier: MIT
// A terminal's whole screen for a table that is drawn again and again, and single keys from it. What the terminal was
// before is restored by the destructor, by a signal that ends the process, and while the process is stopped.
// What is written to standard error meanwhile, where that is a terminal too, appears when this one is given back: the
// table would be broken by it, and the words lost with the table.
// One at a time: signal handlers know it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hawser::app {

class Terminal {
public:
    // Null when standard output is none, or standard input cannot give keys of it.
    [[nodiscard]] static std::unique_ptr<Terminal> open();
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    struct Size {
        std::size_t rows = 24;
        std::size_t columns = 80;
    };
    [[nodiscard]] static Size size();
    // Replaces what is shown by these lines, which have no control characters; what does not fit is cut off. The first
    // `bright` ones are shown so.
    void draw(std::string_view text, std::size_t bright);
    // The last line of what was written to standard error since the last call, to be shown in the table; empty: none.
    [[nodiscard]] std::string last_said();
    // A key that was pressed; 0: none.
    [[nodiscard]] char key();
    // Gives the terminal back, stops the process where somebody can wake it, and takes the terminal again.
    void stop();

private:
    Terminal() = default;
    static void enter();

    std::int64_t said_bytes_ = 0;  // of what is put by, those that last_said() has had
};

}  // namespace hawser::app
