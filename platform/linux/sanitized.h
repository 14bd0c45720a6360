// SPDX-License-Identifier: MIT
// HAWSER_SANITIZED: 1 in a build with the address, memory or thread sanitizer, which gcc tells by macros and clang by
// features. Such a build brings its own operator new and must see each system call through the C library.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAWSER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define HAWSER_SANITIZED 1
#endif
#endif
#ifndef HAWSER_SANITIZED
#define HAWSER_SANITIZED 0
#endif
