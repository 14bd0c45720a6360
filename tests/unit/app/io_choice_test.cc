// SPDX-License-Identifier: MIT
// What the log says of an io_uring that was refused: the sysctl where one did it, else what the error number means.
#include "platform/app/io_choice.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>

using namespace hawser;
using namespace hawser::app;

namespace {

// A folder of kernel.* sysctls; empty at first, as before Linux 6.6.
class Sysctls {
public:
    Sysctls() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
    ~Sysctls() { std::filesystem::remove_all(path_); }
    Sysctls(const Sysctls&) = delete;
    Sysctls& operator=(const Sysctls&) = delete;
    void disabled(int value) { write("io_uring_disabled", value); }
    void group(std::int64_t value) { write("io_uring_group", value); }
    std::string refusal(int error, const char* call = "io_uring_setup") { return uring_refusal({error, call}, path_); }

private:
    void write(const char* name, std::int64_t value) { std::ofstream(path_ + "/" + name) << value << "\n"; }
    std::string path_ = (std::filesystem::temp_directory_path() / "hawser-sysctls-XXXXXX").string();
};

constexpr const char* profile = "permission denied, as the seccomp profiles of containers do";

}  // namespace

TEST_CASE("a sysctl that forbids io_uring is named, with its value") {
    const int error = GENERATE(EPERM, EACCES);
    Sysctls sysctls;
    sysctls.disabled(2);
    sysctls.group(::getegid());  // does not help there
    CHECK(sysctls.refusal(error) == "the sysctl kernel.io_uring_disabled is 2");
    sysctls.disabled(1);
    sysctls.group(-1);
    CHECK(sysctls.refusal(error) ==
          "the sysctl kernel.io_uring_disabled is 1, and kernel.io_uring_group names no group");
    REQUIRE(::getegid() != 4'100'100'100);
    REQUIRE(::group_member(4'100'100'100) == 0);
    sysctls.group(4'100'100'100);
    CHECK(sysctls.refusal(error) ==
          "the sysctl kernel.io_uring_disabled is 1, and this process is not in kernel.io_uring_group, 4100100100");
}

TEST_CASE("where the sysctl permits io_uring, or there is none, a refusal is a profile's") {
    const int error = GENERATE(EPERM, EACCES);
    Sysctls sysctls;
    CHECK(sysctls.refusal(error) == profile);
    sysctls.disabled(0);
    CHECK(sysctls.refusal(error) == profile);
    sysctls.disabled(1);
    sysctls.group(::getegid());
    CHECK(sysctls.refusal(error) == profile);
}

TEST_CASE("other refusals are not put down to the sysctl") {
    Sysctls sysctls;
    sysctls.disabled(2);
    CHECK(sysctls.refusal(ENOSYS) == "this kernel has none, or a seccomp profile hides it");
    CHECK(sysctls.refusal(ENOMEM) ==
          "no memory for its rings (the limit on locked memory, RLIMIT_MEMLOCK, may be low)");
    CHECK(sysctls.refusal(EINVAL) == "this kernel knows no deferred task work; Linux 6.1 does");
    CHECK(sysctls.refusal(EINVAL, "mmap") == "mmap: Invalid argument");
    CHECK(sysctls.refusal(EMFILE) == "io_uring_setup: Too many open files");
    // By the call alone: its number is not the system's.
    CHECK(sysctls.refusal(EPERM, "io_uring features") ==
          "this kernel's io_uring lacks what is needed; Linux 6.1 has it");
    CHECK(sysctls.refusal(EPERM, "io_uring operations") ==
          "this kernel's io_uring lacks what is needed; Linux 6.1 has it");
}

TEST_CASE("the log's line for epoll instead has the reason in it") {
    const IoChoice choice = instead_of_uring({ENOSYS, "io_uring_setup"});
    CHECK(choice.kind == IoKind::epoll);
    CHECK(choice.reason == "epoll: io_uring is refused (this kernel has none, or a seccomp profile hides it)");
}
