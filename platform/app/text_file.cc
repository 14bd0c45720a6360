// SPDX-License-Identifier: MIT
#include "platform/app/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/linux/fd.h"

namespace hawser::app {

Result<std::optional<std::string>, std::string> read_text_if_any(const std::string& path) {
    const auto failed = [&] { return Failure{path + ": " + std::strerror(errno)}; };
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open() && errno == ENOENT) return std::optional<std::string>();
    if (!file.is_open()) return failed();
    std::string text(text_file_bytes_max + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed();
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return std::optional(std::move(text));
}

Result<std::string, std::string> read_text_file(const std::string& path) {
    auto text = read_text_if_any(path);
    if (!text) return Failure{text.error()};
    if (!text->has_value()) return Failure{path + ": " + std::strerror(ENOENT)};
    if ((*text)->size() > text_file_bytes_max) return Failure{path + ": it is longer than a megabyte"};
    return std::move(**text);
}

}  // namespace hawser::app
