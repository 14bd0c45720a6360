// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine/base/link_classes.h"

using namespace hawser;

namespace {

constexpr LinkId a{0};
constexpr LinkId b{1};
constexpr LinkId c{2};
constexpr LinkId d{3};

}  // namespace

TEST_CASE("each step holds a class and all before it, and empty classes have no step") {
    LinkClasses classes;
    CHECK(classes.steps() == 0);
    classes.set(a, 0);
    classes.set(b, 0);
    CHECK_FALSE(classes.several());
    classes.set(c, 3);
    classes.set(d, 1);
    CHECK(classes.several());
    REQUIRE(classes.steps() == 3);
    CHECK(classes.step(0) == 0b0011u);
    CHECK(classes.step(1) == 0b1011u);
    CHECK(classes.step(2) == 0b1111u);
    classes.set(c, 0);
    classes.forget(d);
    CHECK(classes.steps() == 1);
    CHECK_FALSE(classes.several());
}

TEST_CASE("links that are all of one later class are alike") {
    LinkClasses classes;
    classes.set(a, 2);
    classes.set(b, 2);
    CHECK_FALSE(classes.several());
    CHECK(classes.first_of(0b11u) == 0b11u);
}

TEST_CASE("the first class of some links is that of its members among them") {
    LinkClasses classes;
    classes.set(a, 0);
    classes.set(b, 1);
    classes.set(c, 2);
    classes.set_reserve(d);
    CHECK(classes.first_of(0b1111u) == mask_of(a));
    CHECK(classes.first_of(0b1110u) == mask_of(b));
    CHECK(classes.first_of(0b1100u) == mask_of(c));
    CHECK(classes.first_of(0b1000u) == mask_of(d));
    CHECK(classes.first_of(0) == 0);
}

TEST_CASE("the reserve is kept while there is anything else, and alone it is not") {
    LinkClasses classes;
    classes.set(a, 0);
    classes.set_reserve(b);
    CHECK(classes.several());
    CHECK(classes.steps() == 1);
    CHECK(classes.kept(0b11u) == mask_of(b));
    CHECK(classes.kept(0b01u) == mask_of(b));
    CHECK(classes.kept(0b10u) == 0);
    classes.set(b, 4);
    CHECK(classes.reserve() == 0);
    CHECK(classes.kept(0b11u) == 0);
    classes.set_reserve(a);
    classes.set_reserve(b);
    CHECK_FALSE(classes.several());
    CHECK(classes.kept(0b11u) == 0);
}
