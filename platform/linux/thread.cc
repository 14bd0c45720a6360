// SPDX-License-Identifier: MIT
#include "platform/linux/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include <cerrno>

namespace hawser::os {

void name_this_thread(const char* name) noexcept { ::prctl(PR_SET_NAME, name); }

void use_exact_timers() noexcept { ::prctl(PR_SET_TIMERSLACK, 1UL); }

bool may_run_on(unsigned cpu) noexcept {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (cpu >= CPU_SETSIZE) return false;
    return ::sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_ISSET(cpu, &usable);
}

Result<Unit, Errno> pin_this_thread(unsigned cpu) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= CPU_SETSIZE) return Failure{Errno{EINVAL, "sched_setaffinity"}};
    CPU_SET(cpu, &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) return Failure{Errno{errno, "sched_setaffinity"}};
    return Unit{};
}

void block_all_signals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    // Faults stay deliverable: a core dump must name the right thread.
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) ::sigdelset(&all, fault);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace hawser::os
