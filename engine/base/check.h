// SPDX-License-Identifier: MIT
// HAWSER_CHECK guards what only a bug of ours can break; it survives release builds and stops the program.
// HAWSER_VERIFY runs whole-structure audits in builds made with -Dverify=true, and costs nothing elsewhere.
// Neither is for bad packets, bad files or a sick kernel: those are values, counted and handled.
#pragma once

namespace hawser {

[[noreturn]] void check_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace hawser

#define HAWSER_CHECK(expression)                                     \
    do {                                                             \
        if (!(expression)) [[unlikely]]                              \
            ::hawser::check_failed(#expression, __FILE__, __LINE__); \
    } while (false)

#ifdef HAWSER_VERIFY_ENABLED
#define HAWSER_VERIFY(expression) HAWSER_CHECK(expression)
#else
#define HAWSER_VERIFY(expression) \
    do {                          \
    } while (false)
#endif
