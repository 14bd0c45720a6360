// SPDX-License-Identifier: MIT
#include "platform/control/uplink_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "platform/linux/fd.h"
#include "tests/io/folder.h"

using namespace hawser;
using control::UplinkForms;

namespace {

// As a peer's file is read, unless a test is about more.
control::UplinkList parse_uplinks(std::string_view text) {
    return control::parse_uplinks(text, UplinkForms::addresses);
}

}  // namespace

TEST_CASE("an uplink file is one address a line, in order, with blanks and comments left out") {
    const auto list = parse_uplinks("10.0.0.1\r\n\n  10.0.0.2  \n# a comment\n2001:db8::5 # home\n10.0.0.3%usb0");
    REQUIRE(list.uplinks.size() == 4);
    CHECK(list.complaints.empty());
    CHECK(control::uplink_text(list.uplinks[0]) == "10.0.0.1");
    CHECK(control::uplink_text(list.uplinks[1]) == "10.0.0.2");
    CHECK(control::uplink_text(list.uplinks[2]) == "2001:db8::5");
    CHECK(control::uplink_text(list.uplinks[3]) == "10.0.0.3%usb0");
    CHECK(std::string(list.uplinks[3].device) == "usb0");
}

TEST_CASE("a bad line is told with its number and leaves the others in force") {
    const auto list = parse_uplinks("10.0.0.1\nnonsense\n10.0.0\n10.0.0.1%\nfe80::1\n224.0.0.5\nff02::1\n10.0.0.2");
    CHECK(list.uplinks.size() == 2);
    REQUIRE(list.complaints.size() == 6);
    CHECK(list.complaints[0] == "line 2: 'nonsense' is no IPv4 or IPv6 address");
    CHECK(list.complaints[1].rfind("line 3: ", 0) == 0);
    CHECK(list.complaints[2].find("device") != std::string::npos);
    CHECK(list.complaints[3].find("needs its device") != std::string::npos);
}

TEST_CASE("the word metered after an address is a setting, and another word is told and does no harm") {
    const auto list = parse_uplinks(
        "10.0.0.1 metered\n10.0.0.2\tmetered # by the megabyte\n10.0.0.3 fast\n"
        "fe80::1%usb0  metered\n10.0.0.4metered\n");
    REQUIRE(list.uplinks.size() == 4);
    CHECK(list.uplinks[0].settings.metered);
    CHECK(list.uplinks[1].settings.metered);
    CHECK_FALSE(list.uplinks[2].settings.metered);
    CHECK(list.uplinks[3].settings.metered);
    CHECK(control::uplink_text(list.uplinks[3]) == "fe80::1%usb0");
    REQUIRE(list.complaints.size() == 2);
    CHECK(list.complaints[0] == "line 3: 'fast' is no setting of an uplink (metered is)");
    CHECK(list.complaints[1] == "line 5: '10.0.0.4metered' is no IPv4 or IPv6 address");
}

TEST_CASE("the word auto takes no settings") {
    const auto list = control::parse_uplinks("auto metered\n", UplinkForms::all);
    CHECK_FALSE(list.automatic);
    CHECK(list.uplinks.empty());
    REQUIRE(list.complaints.size() == 1);
    CHECK(list.complaints[0].find("line 1: auto takes no words") == 0);
}

TEST_CASE("an uplink file that is a pipe is read, and one that nobody writes holds nobody up") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const os::Fd source(ends[0]);
    os::Fd writer(ends[1]);
    const std::string path = "/dev/fd/" + std::to_string(source.get());
    const auto nothing = control::read_uplinks(path, UplinkForms::all);
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error() == "cannot read the uplink file " + path + ": Connection timed out");
    const test::Folder folder;
    REQUIRE(::mkfifo(folder.file("unwritten").c_str(), 0600) == 0);
    CHECK_FALSE(control::read_uplinks(folder.file("unwritten"), UplinkForms::all));
    std::thread shell([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        static_cast<void>(::write(writer.get(), "wwan0\n", 6) + ::write(writer.get(), "wwan1\n", 6));
        writer.reset();
    });
    const auto list = control::read_uplinks(path, UplinkForms::all);
    shell.join();
    REQUIRE(list);
    CHECK(list->uplinks.size() == 2);
}

TEST_CASE("an interface's name and the word auto are uplinks, and what is neither is told") {
    const auto list = control::parse_uplinks(
        "wwan0\nusb0 metered\nauto\n10.0.0\n1wan\na/b\nwwan0\nan-interface-too-long\n", UplinkForms::all);
    REQUIRE(list.uplinks.size() == 2);
    CHECK(list.automatic);
    CHECK(control::is_by_device(list.uplinks[0]));
    CHECK(control::uplink_text(list.uplinks[0]) == "wwan0");
    CHECK(list.uplinks[1].settings.metered);
    REQUIRE(list.complaints.size() == 5);
    CHECK(list.complaints[0] == "line 4: '10.0.0' is no IPv4 or IPv6 address, and no interface's name");
    CHECK(list.complaints[3] == "line 7: 'wwan0' is there twice");
    // A peer's program would have left all of them out.
    const auto addresses = parse_uplinks("wwan0\nauto\n10.0.0.1\n");
    CHECK(addresses.uplinks.size() == 1);
    CHECK_FALSE(addresses.automatic);
    CHECK(addresses.complaints.size() == 2);
}

TEST_CASE("the same address twice is one uplink, on two devices two") {
    const auto list = parse_uplinks("10.0.0.1\n10.0.0.1\n10.0.0.1%a\n10.0.0.1%b\n");
    CHECK(list.uplinks.size() == 3);
    REQUIRE(list.complaints.size() == 1);
    CHECK(list.complaints[0] == "line 2: '10.0.0.1' is there twice");
}

TEST_CASE("more uplinks than there are places are told, not taken") {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "10.0.1." + std::to_string(i) + "\n";
    const auto list = parse_uplinks(text);
    CHECK(list.uplinks.size() == links_max);
    CHECK(list.complaints.size() == 40 - links_max);
}

TEST_CASE("control characters of a bad line do not reach the terminal") {
    const auto list = parse_uplinks("\x1b[31mred\x07\n");
    REQUIRE(list.complaints.size() == 1);
    for (const char c : list.complaints[0]) CHECK(c >= 0x20);
}

TEST_CASE("an empty file and a file of comments have no uplinks and no complaints") {
    for (const char* text : {"", "\n\n", "# none\n", " \t\r\n"}) {
        const auto list = parse_uplinks(text);
        CHECK(list.uplinks.empty());
        CHECK(list.complaints.empty());
    }
}

TEST_CASE("a file that cannot be read is named with the reason") {
    const auto missing = control::read_uplinks("/nonexistent/uplinks", UplinkForms::addresses);
    REQUIRE_FALSE(missing);
    CHECK(missing.error() == "cannot read the uplink file /nonexistent/uplinks: No such file or directory");
    const auto folder = control::read_uplinks("/", UplinkForms::addresses);
    REQUIRE_FALSE(folder);
    CHECK(folder.error().find("Is a directory") != std::string::npos);
    char name[] = "/tmp/hawser-test-XXXXXX";
    const int fd = ::mkstemp(name);
    REQUIRE(fd >= 0);
    ::close(fd);
    std::ofstream(name) << std::string(2 << 20, '#');
    const auto large = control::read_uplinks(name, UplinkForms::addresses);
    ::unlink(name);
    REQUIRE_FALSE(large);
    CHECK(large.error().find("larger than a megabyte") != std::string::npos);
}
