// SPDX-License-Identifier: MIT
// The terminal while a live view has it: an alternate screen, no cursor, keys one by one and unseen. Everything is put
// back at the end, at a stop (Ctrl-Z), and when the program dies of a signal of its own (abort, bad access).
#pragma once

#include <string>
#include <string_view>

namespace hawser::app {

class LiveScreen {
public:
    // At most one at a time. Standard input and output are terminals.
    LiveScreen();
    ~LiveScreen();
    LiveScreen(const LiveScreen&) = delete;
    LiveScreen& operator=(const LiveScreen&) = delete;

    // Replaces what is shown; lines and columns beyond the window are left out.
    void show(std::string_view text);
    // A key that was pressed; 0: none.
    [[nodiscard]] char key();
    // Gives the terminal back, stops the process as Ctrl-Z does, and takes it again.
    void suspend();

    struct Size {
        unsigned rows = 24;
        unsigned columns = 80;
    };
    [[nodiscard]] static Size size();
};

// Without what would move a cursor or change colours: control characters become '?'. Text of elsewhere, for a terminal.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace hawser::app
