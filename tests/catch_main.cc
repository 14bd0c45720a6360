// SPDX-License-Identifier: MIT
// Catch2's runner for builds that cannot use Debian's compiled one, which exists for the build machine's processor
// only: cross builds. Built once per build directory.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
