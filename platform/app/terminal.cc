// SPDX-License-Identifier: MIT
#include "platform/app/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace hawser::app {

namespace {

// The alternate screen without a cursor, and back (ECMA-48, xterm's private modes).
constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view leave_text = "\x1b[0m\x1b[?25h\x1b[?1049l";

// Of the one Terminal that is open; read by the handlers below.
termios before{};
volatile std::sig_atomic_t is_entered = 0;

void put(std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = ::write(STDOUT_FILENO, text.data(), text.size());
        if (done <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
}

// Nothing but calls that a signal handler may make.
void leave() {
    if (is_entered == 0) return;
    is_entered = 0;
    put(leave_text);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

// SA_RESETHAND: the same signal again does what it does by itself.
void on_end(int signal) {
    leave();
    ::raise(signal);
}

}  // namespace

std::unique_ptr<Terminal> Terminal::open() {
    if (::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0) return nullptr;
    if (::tcgetattr(STDIN_FILENO, &before) != 0) return nullptr;
    struct sigaction action {};
    action.sa_handler = on_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGHUP, SIGPIPE})
        ::sigaction(signal, &action, nullptr);
    enter();
    return std::unique_ptr<Terminal>(new Terminal);
}

Terminal::~Terminal() { leave(); }

void Terminal::enter() {
    termios keys = before;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    is_entered = 1;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    put(enter_text);
}

Terminal::Size Terminal::size() {
    winsize w{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_row == 0 || w.ws_col == 0) return {};
    return {w.ws_row, w.ws_col};
}

void Terminal::draw(std::string_view text, std::size_t bright) {
    const Size room = size();
    std::string out = "\x1b[H";
    for (std::size_t row = 0; !text.empty() && row < room.rows; ++row) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (row != 0) out += "\r\n";
        if (row < bright) out += "\x1b[1m";
        // Columns are characters: UTF-8's continuation bytes take none.
        std::size_t column = 0;
        for (const char c : line) {
            if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++column > room.columns) break;
            out += c;
        }
        out += "\x1b[0m\x1b[K";
    }
    put(out + "\x1b[J");
}

char Terminal::key() {
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) == 1 ? key : '\0';
}

void Terminal::stop() {
    leave();
    // By the kernel's own rule: whom no shell could wake, alone on an ssh's or a container's terminal, it lets go on.
    sigset_t stop_signal, before_it;
    sigemptyset(&stop_signal);
    sigaddset(&stop_signal, SIGTSTP);
    ::raise(SIGTSTP);
    ::pthread_sigmask(SIG_UNBLOCK, &stop_signal, &before_it);
    ::pthread_sigmask(SIG_SETMASK, &before_it, nullptr);
    enter();
}

}  // namespace hawser::app
