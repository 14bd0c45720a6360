// SPDX-License-Identifier: MIT
#include "platform/app/output_thread.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "platform/linux/clock.h"
#include "platform/linux/fd.h"

using namespace hawser;
using namespace hawser::literals;

namespace {

// Its end for writing stays open: a thread may be at it still.
struct Pipe {
    os::Fd out;
    int in = -1;
    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        out = os::Fd(ends[0]);
        in = ends[1];
    }
    [[nodiscard]] std::string read(std::size_t bytes) const {
        std::string text;
        std::array<char, 4096> some{};
        while (text.size() < bytes) {
            const ssize_t count = ::read(out.get(), some.data(), std::min(some.size(), bytes - text.size()));
            if (count <= 0) break;
            text.append(some.data(), static_cast<std::size_t>(count));
        }
        return text;
    }
};

}  // namespace

TEST_CASE("texts come out in their order") {
    const Pipe pipe;
    app::OutputThread output(pipe.in, "test-output");
    std::string all;
    for (int i = 0; i < 100; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        CHECK(output.write(line));
        all += line;
    }
    CHECK(pipe.read(all.size()) == all);
    output.finish(5000_ms);
}

TEST_CASE("a pipe that nobody drains takes so much, and then refuses without a wait") {
    const Pipe pipe;
    app::OutputThread output(pipe.in, "test-output");
    const std::string line(1000, 'x');
    const Instant begun = os::now();
    std::size_t taken = 0;
    while (output.write(line) && taken < 10'000) ++taken;
    CHECK(taken * line.size() >= app::OutputThread::waiting_bytes_max - line.size());
    CHECK(taken < 10'000);
    output.finish(10_ms);
    CHECK(os::now() - begun < 5000_ms);

    SECTION("and goes on where it was once somebody reads") {
        CHECK(pipe.read(taken * line.size()).size() == taken * line.size());
        output.finish(5000_ms);
        CHECK(output.write("y"));
        CHECK(pipe.read(1) == "y");
    }
    SECTION("and ends while it waits") {}
}

TEST_CASE("a reader that is gone ends nothing") {
    Pipe pipe;
    app::OutputThread output(pipe.in, "test-output");
    pipe.out = os::Fd();
    CHECK(output.write("nobody reads it"));
    output.finish(5000_ms);
    CHECK(output.write("nor this"));
    output.finish(5000_ms);
}
