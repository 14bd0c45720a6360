// SPDX-License-Identifier: MIT
// A terminal's whole screen for a table that is drawn again and again, and single keys from it. What the terminal was
// before is restored by the destructor, by a signal that ends the process, and while the process is stopped.
// One at a time: signal handlers know it.
#pragma once

#include <memory>
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
    // A key that was pressed; 0: none.
    [[nodiscard]] char key();
    // Gives the terminal back, stops the process where somebody can wake it, and takes the terminal again.
    void stop();

private:
    Terminal() = default;
    static void enter();
};

}  // namespace hawser::app
