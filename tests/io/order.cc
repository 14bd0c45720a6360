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

TEMPLATE_TEST_CASE("a socket closed in an ordered turn takes at most its own packets with it", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    FourToOne<TestType> lab(bench);
    lab.send(20);
    bench.io().close(lab.from[2]);
    const auto is_of_another = [](const std::string& text) { return std::stoi(text) % 4 != 2; };
    REQUIRE(bench.until([&] {
        const auto texts = bench.received(lab.to);
        return std::count_if(texts.begin(), texts.end(), is_of_another) == 15;
    }));
    const auto numbers = lab.arrived(15);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
}

TEMPLATE_TEST_CASE("packets in order leave as one where a socket has several, from the second turn at the latest", "",
                   HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    FourToOne<TestType> lab(bench);
    for (int turn = 0; turn < 3; ++turn) {
        bench.seen.clear();
        // Three for each socket before the next one's, of one length.
        for (int i = 0; i < 60; ++i) {
            std::string text = std::to_string(i);
            text.resize(200, ' ');
            bench.send(lab.from[static_cast<std::size_t>(i) / 3 % 4], text);
        }
        CHECK(lab.arrived(60) == first(60));
    }
    if (TestType::has_kernel) CHECK(bench.io().counters().segmented_sends >= 2 * 20);
}

TEMPLATE_TEST_CASE("a packet in order does not overtake what its socket had queued before", "", HAWSER_IO_MODELS) {
    Bench<TestType> bench;
    FourToOne<TestType> lab(bench);
    bench.io().keep_order(false);
    bench.send(lab.from[0], "0");
    bench.send(lab.from[1], "1");
    bench.io().keep_order(true);
    bench.send(lab.from[0], "2");
    bench.send(lab.from[1], "3");
    const auto numbers = lab.arrived(4);
    const auto place = [&](int n) { return std::find(numbers.begin(), numbers.end(), n); };
    CHECK(place(0) < place(2));
    CHECK(place(1) < place(3));
}

}  // namespace hawser::test
