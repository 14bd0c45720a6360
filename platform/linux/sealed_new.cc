// SPDX-License-Identifier: MIT
// Replaces operator new: on a thread that has called seal() it aborts, so that "nothing allocates after start" is
// proven by running. Linked into test binaries that ask for it and into -Dverify=true builds, never into a release.
// Sanitizers bring their own operator new; there the file is empty and the proof is left to the other builds.
#include <cstdio>
#include <cstdlib>
#include <new>

#include "platform/linux/memory.h"
#include "platform/linux/sanitized.h"

#if !HAWSER_SANITIZED
namespace {

void* checked_allocate(std::size_t bytes, std::size_t alignment) noexcept {
    if (hawser::os::is_sealed()) [[unlikely]] {
        hawser::os::unseal();  // so that the message itself may allocate
        std::fprintf(stderr, "hawser: internal error: %zu bytes allocated on a sealed thread\n", bytes);
        std::abort();
    }
    if (bytes == 0) bytes = 1;
    if (alignment <= alignof(std::max_align_t)) return std::malloc(bytes);
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

void* allocate_or_abort(std::size_t bytes, std::size_t alignment) noexcept {
    void* p = checked_allocate(bytes, alignment);
    if (p == nullptr) [[unlikely]] {
        std::fputs("hawser: out of memory\n", stderr);
        std::abort();
    }
    return p;
}

constexpr std::size_t plain = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t n) { return allocate_or_abort(n, plain); }
void* operator new[](std::size_t n) { return allocate_or_abort(n, plain); }
void* operator new(std::size_t n, std::align_val_t a) { return allocate_or_abort(n, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return allocate_or_abort(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return checked_allocate(n, plain); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return checked_allocate(n, plain); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif
