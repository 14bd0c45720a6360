// SPDX-License-Identifier: MIT
#include "engine/base/result.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "tests/unit/base/aborts.h"

using namespace hawser;

namespace {

enum class Refusal { full, closed };

Result<int, Refusal> half(int n) {
    if (n % 2 != 0) return Failure{Refusal::closed};
    return n / 2;
}

}  // namespace

TEST_CASE("a result holds its value or its error, never both", "[result]") {
    const auto good = half(8);
    CHECK(good.has_value());
    CHECK(static_cast<bool>(good));
    CHECK(good.value() == 4);
    CHECK(*good == 4);

    const auto bad = half(7);
    CHECK_FALSE(bad.has_value());
    CHECK(bad.error() == Refusal::closed);
}

TEST_CASE("asking a result for the side it does not hold stops the program", "[result]") {
    CHECK(unit::aborts([] { (void)half(7).value(); }));
    CHECK(unit::aborts([] { (void)half(8).error(); }));
    CHECK_FALSE(unit::aborts([] { (void)half(8).value(); }));
}

TEST_CASE("a result of one type for value and error keeps them apart", "[result]") {
    const Result<int, int> value = 3;
    const Result<int, int> failure = Failure{3};
    CHECK(value.has_value());
    CHECK_FALSE(failure.has_value());
    CHECK(failure.error() == 3);
}

TEST_CASE("a value that only moves can be taken out of a result", "[result]") {
    Result<std::unique_ptr<std::string>, Errno> made = std::make_unique<std::string>("here");
    const std::unique_ptr<std::string> taken = std::move(made).value();
    CHECK(*taken == "here");
}

TEST_CASE("a failed call keeps its number and its name", "[result]") {
    const Result<Unit, Errno> failed = Failure{Errno{98, "bind"}};
    CHECK(failed.error().value == 98);
    CHECK(std::string(failed.error().call) == "bind");
}
