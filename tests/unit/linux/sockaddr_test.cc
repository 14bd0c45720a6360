// SPDX-License-Identifier: MIT
#include "platform/linux/sockaddr.h"

#include <net/if.h>
#include <catch2/catch.hpp>

namespace hawser::os {

TEST_CASE("an address's text reads back as the address") {
    const auto text = GENERATE(as<std::string>{}, "0.0.0.0", "127.0.0.1", "192.0.2.255", "255.255.255.255", "::", "::1",
                               "2001:db8::1", "2001:db8:0:1:2:3:4:5", "fe80::1%lo");
    const auto e = parse_address(text);
    REQUIRE(e.has_value());
    CHECK(e->port == 0);
    CHECK(address_text(*e) == text);
}

TEST_CASE("an endpoint's text reads back as the endpoint") {
    const auto text = GENERATE(as<std::string>{}, "127.0.0.1:0", "192.0.2.1:65535", "[::1]:5000", "[2001:db8::1]:1",
                               "[fe80::1%lo]:9");
    const auto e = parse_endpoint(text);
    REQUIRE(e.has_value());
    CHECK(endpoint_text(*e) == text);
}

TEST_CASE("IPv4 and its mapped form are one address") {
    CHECK(parse_address("::ffff:192.0.2.1") == parse_address("192.0.2.1"));
    CHECK(address_text(*parse_address("::ffff:192.0.2.1")) == "192.0.2.1");
    CHECK(parse_address("192.0.2.1")->v4() == 0xC0000201);
}

TEST_CASE("brackets around a lone IPv6 address are allowed") { CHECK(parse_address("[::1]") == parse_address("::1")); }

TEST_CASE("what is no numeric address is refused") {
    const auto text =
        GENERATE(as<std::string>{}, "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "localhost", ":::", "1::2::3", "[::1",
                 "::1]", "[1.2.3.4]", "1.2.3.4%lo", "::1%", "::1%no-such-device", "::1%0", "fe80::1%lo%lo", "::1 ",
                 " ::1", "12345::", "::ffff:1.2.3.4%lo");
    CHECK_FALSE(parse_address(text).has_value());
    CHECK_FALSE(parse_address(text + std::string(1, '\0')).has_value());
}

TEST_CASE("what is no endpoint is refused") {
    const auto text = GENERATE(as<std::string>{}, "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1",
                               "1.2.3.4:+1", "1.2.3.4: 1", "1.2.3.4:1x", "::1:5000", "[::1]", "[::1]:", "[::1]5000",
                               ":5000", "[]:5000", "host:5000", "[1.2.3.4]:5");
    CHECK_FALSE(parse_endpoint(text).has_value());
}

TEST_CASE("a scope's index stands in for a name that does not exist") {
    const auto e = parse_address("fe80::1%4000000");
    REQUIRE(e.has_value());
    CHECK(e->scope == 4'000'000);
    CHECK(address_text(*e) == "fe80::1%4000000");
    CHECK(parse_address("fe80::1%lo")->scope == ::if_nametoindex("lo"));
}

TEST_CASE("an endpoint goes through the kernel's form and back, on the family of the socket") {
    const auto text = GENERATE(as<std::string>{}, "127.0.0.1:4711", "[2001:db8::7]:65535", "[fe80::1%lo]:1");
    const Endpoint e = *parse_endpoint(text);
    SocketAddress address{};
    CHECK(to_sockaddr(e, AF_INET6, address) == sizeof(sockaddr_in6));
    CHECK(address.v6.sin6_family == AF_INET6);
    CHECK(from_sockaddr(&address) == e);
    if (!e.is_v4()) return;
    CHECK(to_sockaddr(e, AF_INET, address) == sizeof(sockaddr_in));
    CHECK(address.v4.sin_family == AF_INET);
    CHECK(address.v4.sin_port == htons(e.port));
    CHECK(from_sockaddr(&address) == e);
}

TEST_CASE("an address of another family is the any address") {
    SocketAddress address{};
    address.generic.sa_family = AF_UNIX;
    CHECK(from_sockaddr(&address) == Endpoint{});
}

}  // namespace hawser::os
