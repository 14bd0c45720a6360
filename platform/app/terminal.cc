// SPDX-License-Identifier: MIT
#include "platform/app/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace hawser::app {

namespace {

// The alternate screen without a cursor, and back (ECMA-48, xterm's private modes).
constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view leave_text = "\x1b[0m\x1b[?25h\x1b[?1049l";

// Of the one Terminal that is open; read by the handlers below.
termios before{};
volatile std::sig_atomic_t is_entered = 0;
// Standard error as it was, and a file in memory that stands in for it; -1: it is no terminal, or there is no memory.
volatile std::sig_atomic_t error_before = -1;
volatile std::sig_atomic_t error_kept = -1;
// Of what is kept; beyond it the older words go, which had their time in the table. Untuned.
constexpr off_t kept_bytes_max = 65'536;

void put(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = ::write(fd, text.data(), text.size());
        if (done <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
}

void keep_errors() {
    if (error_before < 0 && ::isatty(STDERR_FILENO) != 0) error_before = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (error_before >= 0 && error_kept < 0) {
        error_kept = ::memfd_create("hawser-errors", MFD_CLOEXEC);
        if (error_kept >= 0) ::fcntl(error_kept, F_SETFL, O_APPEND);
    }
    if (error_kept >= 0) ::dup2(error_kept, STDERR_FILENO);
}

// Nothing but calls that a signal handler may make, as in leave().
void show_errors() {
    if (error_kept < 0 || error_before < 0) return;
    ::dup2(error_before, STDERR_FILENO);
    std::array<char, 4096> room;
    ::lseek(error_kept, 0, SEEK_SET);
    for (ssize_t got; (got = ::read(error_kept, room.data(), room.size())) > 0;)
        put(STDERR_FILENO, {room.data(), static_cast<std::size_t>(got)});
    [[maybe_unused]] const int done = ::ftruncate(error_kept, 0);
}

// Nothing but calls that a signal handler may make.
void leave() {
    if (is_entered == 0) return;
    is_entered = 0;
    put(STDOUT_FILENO, leave_text);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    show_errors();
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
    put(STDOUT_FILENO, enter_text);
    keep_errors();
}

std::string Terminal::last_said() {
    if (error_kept < 0) return {};
    const off_t size = ::lseek(error_kept, 0, SEEK_END);
    // It has been shown meanwhile, and begun anew.
    if (said_bytes_ > size) said_bytes_ = 0;
    std::string text(static_cast<std::size_t>(size - said_bytes_), '\0');
    const ssize_t got = ::pread(error_kept, text.data(), text.size(), said_bytes_);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    said_bytes_ = size > kept_bytes_max && ::ftruncate(error_kept, 0) == 0 ? 0 : size;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') + 1);
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
    put(STDOUT_FILENO, out + "\x1b[J");
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
