// SPDX-License-Identifier: MIT
// Suggestions for misspelt words: slips of the pen are found, other words are left alone.
#include <catch2/catch.hpp>

#include "platform/app/nearest_word.h"

using hawser::app::nearest_word;

TEST_CASE("a word that is nearly a known one brings that") {
    const std::vector<std::string> known = {"listen", "latency", "link_timeout", "receiver", "select"};
    CHECK(nearest_word("listne", known) == "listen");
    CHECK(nearest_word("latncy", known) == "latency");
    CHECK(nearest_word("link-timeout", known) == "link_timeout");
    CHECK(nearest_word("reciever", known) == "receiver");
    CHECK(nearest_word("listen", known) == "listen");
}

TEST_CASE("a word that is none of the known ones brings none") {
    const std::vector<std::string> known = {"listen", "latency", "up"};
    CHECK(nearest_word("", known).empty());
    CHECK(nearest_word("bandwidth", known).empty());
    CHECK(nearest_word("xy", known).empty());
    CHECK(nearest_word("up", {}).empty());
    CHECK(nearest_word(std::string(1000, 'l'), known).empty());
}

TEST_CASE("of several near words the nearest is meant") {
    CHECK(nearest_word("groups", {"group", "groups_max", "groupt"}) == "group");
    CHECK(nearest_word("linkx_timeout", {"link_time", "link_timeout"}) == "link_timeout");
}
