// SPDX-License-Identifier: MIT
// A test's own folder, gone when the test is over.
#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace hawser::test {

struct Folder {
    Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::string file(const std::string& name) const { return path + "/" + name; }
    // Empty where there is none.
    [[nodiscard]] std::string content(const std::string& name) const {
        std::ifstream in(file(name), std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        return std::move(text).str();
    }

    std::string path = (std::filesystem::temp_directory_path() / "hawser-test-XXXXXX").string();
};

}  // namespace hawser::test
