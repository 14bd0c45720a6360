// SPDX-License-Identifier: MIT
#include "platform/app/text_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace hawser::app {

Result<std::string, std::string> read_text_file(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
    if (!file) return Failure{path + ": " + std::strerror(errno)};
    std::string text(text_file_bytes_max + 1, '\0');
    errno = 0;
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get()) != 0) return Failure{path + ": " + std::strerror(errno)};
    if (text.size() > text_file_bytes_max) return Failure{path + ": it is longer than a megabyte"};
    return text;
}

}  // namespace hawser::app
