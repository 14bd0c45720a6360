// SPDX-License-Identifier: MIT
// mimalloc's one way in: operator new and delete of the program. It serves start-up and the control thread; the pump's
// thread allocates nothing after its start. Left out with sanitizers and in verify builds, which bring their own.
#include <mimalloc-new-delete.h>
