// SPDX-License-Identifier: MIT
// Command lines of the benches: `--name value` and `--flag`, in any order, beside positional words.
// A name that nobody asked for ends the program, so that a typing error is not a silent default.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace hawser::perf {

class Options {
public:
    Options(int argc, char** argv, std::string usage) : usage_(std::move(usage)) {
        for (int i = 1; i < argc; ++i) words_.emplace_back(argv[i]);
        if (flag("--help")) {
            std::printf("%s", usage_.c_str());
            std::exit(0);
        }
    }
    [[nodiscard]] bool flag(const std::string& name) {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (words_[i] != name) continue;
            words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(i));
            return true;
        }
        return false;
    }
    [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if (words_[i] != name) continue;
            if (i + 1 == words_.size()) fail(name + " wants a value");
            const std::string value = words_[i + 1];
            const auto at = words_.begin() + static_cast<std::ptrdiff_t>(i);
            words_.erase(at, at + 2);
            return value;
        }
        return otherwise;
    }
    [[nodiscard]] double number(const std::string& name, double otherwise) {
        const std::string value = text(name, "");
        if (value.empty()) return otherwise;
        char* end = nullptr;
        const double n = std::strtod(value.c_str(), &end);
        if (*end != 0 || n < 0) fail(name + " wants a number, not '" + value + "'");
        return n;
    }
    [[nodiscard]] unsigned count(const std::string& name, unsigned otherwise) {
        return static_cast<unsigned>(number(name, otherwise));
    }
    // What is left, once every option has been asked for.
    [[nodiscard]] const std::vector<std::string>& positional(std::size_t at_most) const {
        for (const std::string& w : words_)
            if (w.size() > 1 && w[0] == '-') fail("no option " + w);
        if (words_.size() > at_most) fail("'" + words_.back() + "' is one word too many");
        return words_;
    }
    [[noreturn]] void fail(const std::string& why) const {
        std::fprintf(stderr, "%s\n%s", why.c_str(), usage_.c_str());
        std::exit(2);
    }

private:
    std::string usage_;
    std::vector<std::string> words_;
};

}  // namespace hawser::perf
