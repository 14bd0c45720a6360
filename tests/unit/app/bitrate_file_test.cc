// SPDX-License-Identifier: MIT
// The bitrate file: what is written when, in whose form, and who is told.
#include "platform/app/bitrate_file.h"

#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/linux/process.h"
#include "platform/linux/replace_file.h"

using namespace hawser;
using namespace hawser::literals;
using Catch::Contains;

namespace {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "hawser-bitrate-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
    }

private:
    std::filesystem::path path_;
};

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}
void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

SafeRate rate(std::uint64_t bits) {
    SafeRate r;
    r.is_known = true;
    r.bits_per_second = bits;
    return r;
}

volatile std::sig_atomic_t hangups = 0;
void count_hangup(int) { hangups = hangups + 1; }

// While it lives SIGHUP is counted.
class CountsHangups {
public:
    CountsHangups() {
        hangups = 0;
        struct sigaction action {};
        action.sa_handler = count_hangup;
        ::sigaction(SIGHUP, &action, &before_);
    }
    ~CountsHangups() { ::sigaction(SIGHUP, &before_, nullptr); }
    CountsHangups(const CountsHangups&) = delete;
    CountsHangups& operator=(const CountsHangups&) = delete;

private:
    struct sigaction before_ {};
};

}  // namespace

TEST_CASE("the text is belacoder's: two lines, the least and the greatest, in bit/s") {
    CHECK(app::bitrate_text(300'000, 6'000'000) == "300000\n6000000\n");
    CHECK(app::bitrate_in("300000\n6000000\n") == 6'000'000u);
    CHECK(app::bitrate_in("300000\n6000000") == 6'000'000u);
    for (const char* bad : {"", "300000", "300000\n", "300000\nsix\n", "300000\n6000 000\n", "300000\n-1\n"})
        CHECK_FALSE(app::bitrate_in(bad));
}

TEST_CASE("a fall is written at once, a rise after a second, what hardly differs after five") {
    app::BitratePace pace(500'000, 8'000'000);
    const Instant t{100'000'000'000};
    CHECK_FALSE(pace.next(SafeRate{}, t));
    CHECK(pace.next(rate(4'000'000), t) == 4'000'000u);
    pace.written(4'000'000, t);
    CHECK_FALSE(pace.next(rate(2'000'000), t + 100_ms));
    CHECK(pace.next(rate(2'000'000), t + 200_ms) == 2'000'000u);
    CHECK_FALSE(pace.next(rate(5'000'000), t + 900_ms));
    CHECK(pace.next(rate(5'000'000), t + 1_s) == 5'000'000u);
    CHECK_FALSE(pace.next(rate(4'100'000), t + 4_s));
    CHECK(pace.next(rate(4'100'000), t + 5_s) == 4'100'000u);
    CHECK_FALSE(pace.next(rate(4'009'999), t + 60_s));
}

TEST_CASE("what is written stays within the operator's limits") {
    const app::BitratePace pace(500'000, 8'000'000);
    CHECK(pace.next(rate(0), Instant{}) == 500'000u);
    CHECK(pace.next(rate(100'000'000), Instant{}) == 8'000'000u);
}

TEST_CASE("the file begins with the least, or with what it says already where that is within the limits") {
    const Folder folder;
    const std::string path = folder / "br";
    app::BitrateFile file({.path = path, .signal = "", .min = 500'000, .max = 8'000'000});
    REQUIRE(file.begin(Instant{}));
    CHECK(text_of(path) == "500000\n500000\n");
    put(path, "300000\n6000000\n");
    REQUIRE(file.begin(Instant{}));
    CHECK(text_of(path) == "500000\n6000000\n");
    put(path, "300000\n60000000\n");
    REQUIRE(file.begin(Instant{}));
    CHECK(text_of(path) == "500000\n500000\n");
    file.update(rate(3'456'789), Instant{} + 1_s);
    CHECK(text_of(path) == "500000\n3450000\n");
    // Nothing is left beside it.
    CHECK(folder.files() == 1);
}

TEST_CASE("limits that are crossed, and a file that cannot be written, are refused with a sentence") {
    const Folder folder;
    const auto problem = [](app::BitrateFileSettings settings) {
        const auto begun = app::BitrateFile(std::move(settings)).begin(Instant{});
        REQUIRE_FALSE(begun);
        return begun.error();
    };
    CHECK_THAT(problem({.path = folder / "br", .signal = "", .min = 2, .max = 1}),
               Contains("--bitrate-min 2 is above --bitrate-max 1"));
    CHECK_THAT(problem({.path = folder / "none/br", .signal = "", .min = 1, .max = 2}),
               Contains("--bitrate-file: cannot write") && Contains("No such file"));
    CHECK_THAT(problem({.path = folder / "br", .signal = "4194304", .min = 1, .max = 2}),
               Contains("--bitrate-signal: process 4194304") && Contains("not there"));
}

TEST_CASE("a folder that goes away and comes back costs nothing but what was not written") {
    const Folder folder;
    std::filesystem::create_directory(folder / "sub");
    app::BitrateFile file({.path = folder / "sub/br", .signal = "", .min = 100'000, .max = 8'000'000});
    REQUIRE(file.begin(Instant{}));
    std::filesystem::remove_all(folder / "sub");
    file.update(rate(1'000'000), Instant{} + 1_s);
    file.update(rate(1'000'000), Instant{} + 2_s);
    std::filesystem::create_directory(folder / "sub");
    file.update(rate(1'000'000), Instant{} + 3_s);
    CHECK(text_of(folder / "sub/br") == "100000\n1000000\n");
}

TEST_CASE("the process of a pid file is told of each change once, and may come later than the file") {
    const Folder folder;
    const CountsHangups counts;
    app::BitrateFile file({.path = folder / "br", .signal = folder / "pid", .min = 100'000, .max = 8'000'000});
    REQUIRE(file.begin(Instant{}));
    file.update(rate(1'000'000), Instant{} + 1_s);
    put(folder / "pid", "nonsense\n");
    file.update(rate(2'000'000), Instant{} + 3_s);
    CHECK(hangups == 0);
    put(folder / "pid", std::to_string(::getpid()) + "\n");
    file.update(rate(3'000'000), Instant{} + 5_s);
    CHECK(hangups == 1);
    file.update(rate(3'000'000), Instant{} + 15_s);
    CHECK(hangups == 1);
}

TEST_CASE("a process that SIGHUP would end does not get it") {
    // A test that nohup started ignores it, and so would the child until it has said otherwise.
    const auto before = std::signal(SIGHUP, SIG_DFL);
    const pid_t child = ::fork();
    if (child == 0)
        for (;;) ::pause();
    std::signal(SIGHUP, before);
    REQUIRE(child > 0);
    CHECK(os::survives(child, SIGHUP) == false);
    const auto told = os::tell(child, SIGHUP);
    REQUIRE_FALSE(told);
    CHECK(told.error().value == ECANCELED);
    int status = 0;
    CHECK(::waitpid(child, &status, WNOHANG) == 0);
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    CHECK_FALSE(os::tell(child, SIGHUP));
}

TEST_CASE("what a process id is") {
    CHECK(os::parse_process_id("1234") == 1234);
    CHECK(os::parse_process_id("1234\n") == 1234);
    for (const char* bad : {"", "1", "0", "-1", "+5", "12a", "99999999999", "/run/pid", " 5"})
        CHECK_FALSE(os::parse_process_id(bad));
}

TEST_CASE("a link in the draft's place is not followed") {
    const Folder folder;
    put(folder / "victim", "mine");
    std::filesystem::create_symlink(folder / "victim", (folder / "br") + "." + std::to_string(::getpid()));
    REQUIRE(os::replace_file(folder / "br", "text"));
    CHECK(text_of(folder / "victim") == "mine");
    CHECK(text_of(folder / "br") == "text");
}
