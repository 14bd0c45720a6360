// SPDX-License-Identifier: MIT
// True when the given function ends its process by abort(), as a failed HAWSER_CHECK does. It runs in a child, whose
// words are thrown away.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace hawser::unit {

template <class Function>
[[nodiscard]] bool aborts(Function&& function) {
    const pid_t child = fork();
    if (child == 0) {
        // Catch2's handler would report the signal as a failure of the test.
        std::signal(SIGABRT, SIG_DFL);
        const int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        function();
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
    }
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace hawser::unit
