// SPDX-License-Identifier: MIT
// What a sender leaves for its next run: read as it was written, for its receiver alone, by its owner alone.
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include "platform/app/earlier_run.h"
#include "platform/app/text_file.h"
#include "tests/io/folder.h"

using namespace hawser;
using namespace hawser::app;
using Catch::Contains;

namespace {

bond::EarlierRun some_run() {
    bond::EarlierRun run;
    run.has_group = true;
    for (std::size_t i = 0; i < run.group.size(); ++i) run.group[i] = static_cast<std::uint8_t>(255 - i);
    run.latency = Duration{1'250'000'000};
    return run;
}

using test::Folder;

}  // namespace

TEST_CASE("what is kept is read again, for the same receiver") {
    const std::string text = earlier_run_text(some_run(), "far.example:5000");
    const auto again = earlier_run_in(text, "far.example:5000");
    REQUIRE(again);
    CHECK(again->has_group);
    CHECK(again->group == some_run().group);
    CHECK(again->latency == some_run().latency);
    const auto other = earlier_run_in(text, "far.example:5001");
    REQUIRE(other);
    CHECK_FALSE(other->has_group);
}

TEST_CASE("no part of a file, and no damaged one, is taken") {
    const std::string text = earlier_run_text(some_run(), "far.example:5000");
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK_FALSE(earlier_run_in(text.substr(0, size), "far.example:5000"));
    std::string damaged = text;
    damaged.insert(text.size() - 1, "x");
    CHECK_FALSE(earlier_run_in(damaged, "far.example:5000"));
    damaged = text;
    damaged[text.find("group ") + 10] = 'x';
    CHECK_FALSE(earlier_run_in(damaged, "far.example:5000"));
    const auto newer = earlier_run_in("hawser sender 2\n" + text.substr(text.find('\n') + 1), "far.example:5000");
    REQUIRE_FALSE(newer);
    CHECK_THAT(newer.error(), Contains("newer"));
    CHECK_FALSE(earlier_run_in("hawser sender 1\nreceiver a:1\n", "a:1"));
}

TEST_CASE("the file is its owner's alone, and is written only for a group") {
    Folder folder;
    const std::string inner = folder.file("run");
    EarlierRunFile file(inner, "127.0.0.1", 5000);
    file.keep(bond::EarlierRun{}, "far.example:5000");
    CHECK(::access(file.path().c_str(), F_OK) != 0);
    CHECK_FALSE(file.read("far.example:5000").has_group);
    file.keep(some_run(), "far.example:5000");
    struct stat s {};
    REQUIRE(::stat(file.path().c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
    CHECK(file.read("far.example:5000").group == some_run().group);
    CHECK_FALSE(file.read("elsewhere:5000").has_group);
    CHECK_FALSE(EarlierRunFile(inner, "127.0.0.1", 5001).read("far.example:5000").has_group);
    CHECK_FALSE(EarlierRunFile(inner, "127.0.0.2", 5000).read("far.example:5000").has_group);
    EarlierRunFile nowhere("", "127.0.0.1", 5000);
    nowhere.keep(some_run(), "far.example:5000");
    CHECK_FALSE(nowhere.read("far.example:5000").has_group);
}
