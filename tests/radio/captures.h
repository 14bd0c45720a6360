// SPDX-License-Identifier: MIT
// The real radiod's packets of the fuzz corpus (radiod_*), each with the lines of tests/vectors/captures/KIND.txt that
// say what is in it.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace hawser::radio_tests {

struct Capture {
    std::string name;
    std::string title;  // behind the name
    std::vector<std::string> lines;
    std::vector<std::uint8_t> bytes;
};

// Of the corpus KIND in the folder of the tests: every packet there is told of, and every one that is told of is there.
inline std::vector<Capture> captures_of(const std::filesystem::path& tests, const std::string& kind) {
    std::vector<Capture> found;
    std::set<std::string> told;
    std::ifstream text(tests / "vectors/captures" / (kind + ".txt"));
    REQUIRE(text);
    for (std::string line; std::getline(text, line);) {
        if (line.empty() || line[0] == '#') continue;
        if (line[0] == ' ') {
            REQUIRE_FALSE(found.empty());
            found.back().lines.push_back(line.substr(line.find_first_not_of(' ')));
            continue;
        }
        const std::size_t colon = line.find(": ");
        REQUIRE(colon != std::string::npos);
        Capture capture{line.substr(0, colon), line.substr(colon + 2), {}, {}};
        std::ifstream packet(tests / "fuzz/corpus" / kind / capture.name, std::ios::binary);
        INFO(capture.name);
        REQUIRE(packet);
        capture.bytes.assign(std::istreambuf_iterator<char>(packet), {});
        CHECK(told.insert(capture.name).second);
        found.push_back(std::move(capture));
    }
    for (const auto& entry : std::filesystem::directory_iterator(tests / "fuzz/corpus" / kind)) {
        const std::string name = entry.path().filename().string();
        INFO(name);
        CHECK((name.rfind("radiod_", 0) != 0 || told.count(name) == 1));
    }
    return found;
}

}  // namespace hawser::radio_tests
