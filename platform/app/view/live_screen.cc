// SPDX-License-Identifier: MIT
#include "platform/app/view/live_screen.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace hawser::app {

namespace {

constexpr std::string_view enter_text = "\033[?1049h\033[?25l\033[H\033[2J";
constexpr std::string_view leave_text = "\033[?25h\033[?1049l";
constexpr std::array<int, 5> fatal_signals{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// For the signal handler, which finds nothing else.
termios before;
volatile std::sig_atomic_t is_taken = 0;

void put(std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

// Calls nothing that a signal handler may not.
void give_back() {
    if (is_taken == 0) return;
    is_taken = 0;
    put(leave_text);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void take() {
    ::tcgetattr(STDIN_FILENO, &before);
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    is_taken = 1;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    put(enter_text);
}

void on_fatal(int number) {
    give_back();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

}  // namespace

LiveScreen::LiveScreen() {
    for (const int s : fatal_signals) std::signal(s, on_fatal);
    take();
}

LiveScreen::~LiveScreen() {
    give_back();
    for (const int s : fatal_signals) std::signal(s, SIG_DFL);
}

void LiveScreen::suspend() {
    give_back();
    ::kill(::getpid(), SIGSTOP);
    take();
}

char LiveScreen::key() {
    char c = 0;
    return ::read(STDIN_FILENO, &c, 1) == 1 ? c : '\0';
}

LiveScreen::Size LiveScreen::size() {
    winsize w{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_row == 0 || w.ws_col == 0) return {};
    return {w.ws_row, w.ws_col};
}

void LiveScreen::show(std::string_view text) {
    const Size window = size();
    std::string out = "\033[H";
    unsigned row = 0;
    while (!text.empty() && row < window.rows) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        // Columns are characters: UTF-8's continuation bytes take none.
        unsigned column = 0;
        for (const char c : line) {
            if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++column > window.columns) break;
            out += c;
        }
        out += ++row < window.rows ? "\033[K\n" : "\033[K";
    }
    put(out + "\033[J");
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    return out;
}

}  // namespace hawser::app
