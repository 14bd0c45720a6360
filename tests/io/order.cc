// SPDX-License-Identifier: MIT
// Order across sockets: four connected sockets take turns towards one receiver, as uplinks do.
#include <algorithm>

#include "tests/io/bench.h"

namespace hawser::test {
namespace {

template <class Model>
struct FourToOne {
    explicit FourToOne(Bench<Model>& b) : bench(b) {
        to = bench.open(Model::loopback_v4(), 9);
        for (std::uint32_t i = 0; i < 4; ++i) from.push_back(bench.open(Model::loopback_v4(), i, bench.io().local(to)));
    }
    // All in one turn: packet i on socket i % 4, every fifth one short, so that no run is all of one length.
    void send(int count) {
        for (int i = 0; i < count; ++i) {
            std::string text = std::to_string(i);
            text.resize(i % 5 == 0 ? 20 : 200, ' ');
            bench.send(from[static_cast<std::size_t>(i) % 4], text);
        }
    }
    std::vector<int> arrived(std::size_t count) {
        REQUIRE(bench.until([&] { return bench.received(to).size() >= count; }));
        std::vector<int> numbers;
        for (const std::string& text : bench.received(to)) numbers.push_back(std::stoi(text));
        return numbers;
    }
    Bench<Model>& bench;
    SocketId to;
    std::vector<SocketId> from;
};

std::vector<int> first(int count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) numbers[static_cast<std::size_t>(i)] = i;
    return numbers;
}

}  // namespace

TEMPLATE_TEST_CASE("a turn's packets leave in their order across connected sockets, unless told otherwise", "",
                   HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    FourToOne<TestType> lab(bench);
    lab.send(100);
    CHECK(lab.arrived(100) == first(100));
    bench.seen.clear();
    bench.io().keep_order(false);
    lab.send(100);
    auto numbers = lab.arrived(100);
    // Gathered by socket or not: each socket's own order holds, and nothing is missing.
    for (std::size_t socket = 0; socket < 4; ++socket) {
        std::vector<int> own;
        for (const int n : numbers)
            if (static_cast<std::size_t>(n) % 4 == socket) own.push_back(n);
        CHECK(own.size() == 25);
        CHECK(std::is_sorted(own.begin(), own.end()));
    }
    bench.seen.clear();
    bench.io().keep_order(true);
    lab.send(40);
    CHECK(lab.arrived(40) == first(40));
}

TEMPLATE_TEST_CASE("a socket closed with packets in an ordered turn takes only its own with it", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    FourToOne<TestType> lab(bench);
    lab.send(20);
    bench.io().close(lab.from[2]);
    const auto numbers = lab.arrived(15);
    CHECK(std::none_of(numbers.begin(), numbers.end(), [](int n) { return n % 4 == 2; }));
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
}

}  // namespace hawser::test
