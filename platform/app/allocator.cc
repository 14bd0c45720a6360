// SPDX-License-Identifier: MIT
// mimalloc's one way in: operator new and delete of the program. It serves start-up and the control thread; the pump's
// thread allocates nothing after its start. Left out with sanitizers and in verify builds, which bring their own.
#include <cerrno>
#include <new>

#include <mimalloc-new-delete.h>
#include <mimalloc.h>

namespace {

// Debian's mimalloc is C: where memory is out it does not see the handler that the program has set, and aborts.
void on_error(int error, void*) {
    if (const auto handler = std::get_new_handler(); error == ENOMEM && handler != nullptr) handler();
}
[[maybe_unused]] const bool is_registered = (mi_register_error(on_error, nullptr), true);

}  // namespace
