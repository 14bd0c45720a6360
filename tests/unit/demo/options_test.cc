// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "platform/app/demo/options.h"

using namespace hawser;
using namespace hawser::literals;

TEST_CASE("a link's setting changes what it names and nothing else") {
    auto links = demo::default_links(4);
    const auto before = links;
    REQUIRE(demo::apply_link_setting("2:rate=3500,loss=1.5", links));
    CHECK(links[1].rate_kbps == 3500);
    CHECK(links[1].loss == Approx(0.015));
    CHECK(links[1].delay == before[1].delay);
    CHECK(links[1].queue == before[1].queue);
    CHECK(links[0].rate_kbps == before[0].rate_kbps);
    REQUIRE(demo::apply_link_setting("4:delay=250,queue=0", links));
    CHECK(links[3].delay == 250_ms);
    CHECK(links[3].queue == Duration{});
}

TEST_CASE("a setting that cannot be read changes nothing and says what was expected") {
    const char* text = GENERATE("", "1", "1:", "0:rate=1", "5:rate=1", "1.5:rate=1", "x:rate=1", "nan:rate=1", "1:rate",
                                "1:rate=", "1:rate=x", "1:rate=-1", "1:rate=1e9", "1:loss=100.5", "1:delay=10001",
                                "1:speed=3", "1:rate=5,loss=x", "1:rate=nan");
    auto links = demo::default_links(4);
    const auto result = demo::apply_link_setting(text, links);
    REQUIRE_FALSE(result);
    CHECK(result.error().text.find("--link") == 0);
    CHECK(links[0].rate_kbps == demo::default_links(1)[0].rate_kbps);
}

TEST_CASE("a dark window has a link, a start and a length") {
    const auto window = demo::read_dark_window("3@2.5+4", 4);
    REQUIRE(window);
    CHECK(window->link == 2);
    CHECK(window->start == 2500_ms);
    CHECK(window->length == 4_s);
    const char* bad =
        GENERATE("", "1", "1@", "1@2", "1@2+", "1@+2", "5@1+1", "0@1+1", "1@-1+2", "1@1+99999999", "1+1@1");
    CHECK_FALSE(demo::read_dark_window(bad, 4));
}
