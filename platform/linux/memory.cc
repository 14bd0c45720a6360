// SPDX-License-Identifier: MIT
#include "platform/linux/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

namespace hawser::os {
namespace {
thread_local bool sealed = false;
}

Result<Slab, Errno> Slab::create(std::size_t bytes, Pages pages) noexcept {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t whole = (bytes + page - 1) / page * page;
    void* p = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return Failure{Errno{errno, "mmap"}};
    // Wishes: without huge pages the slab costs more TLB misses, without population first-touch faults.
    if (pages == Pages::populated) {
        ::madvise(p, whole, MADV_HUGEPAGE);
        ::madvise(p, whole, MADV_POPULATE_WRITE);
    } else {
        ::madvise(p, whole, MADV_NOHUGEPAGE);
    }
    return Slab(std::span(static_cast<std::uint8_t*>(p), whole));
}

Slab::~Slab() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

void seal() noexcept { sealed = true; }
void unseal() noexcept { sealed = false; }
bool is_sealed() noexcept { return sealed; }

}  // namespace hawser::os
