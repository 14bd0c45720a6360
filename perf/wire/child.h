// SPDX-License-Identifier: MIT
// The program under test as a child process: started pinned and in its own process group, asked for its CPU time
// and context switches from the kernel's accounting, stopped at the end of the object's life. A bench that dies takes
// its child with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace hawser::perf {

// Splits at blanks; 'single' and "double" quotes hold blanks together. No shell is involved.
[[nodiscard]] std::vector<std::string> split_command(const std::string& command);

// Replaces each {name} by its value.
struct Placeholder {
    std::string name;
    std::string value;
};
[[nodiscard]] std::string fill(std::string command, const std::vector<Placeholder>& values);

// Summed over all threads of the process that live now.
struct Switches {
    std::uint64_t voluntary = 0;    // went to sleep: each one is a wake-up later
    std::uint64_t involuntary = 0;  // was pushed aside
};

class Child {
public:
    // cpu < 0: not pinned. What it prints goes to `log` (appended).
    Child(const std::string& command, int cpu, const std::string& log);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { stop(); }

    [[nodiscard]] bool alive();
    [[nodiscard]] pid_t pid() const { return pid_; }
    // User and system time of all its threads, those that have ended included, in ns: the sum of what the scheduler
    // has charged, which is what /proc/PID/task/*/schedstat shows.
    [[nodiscard]] std::int64_t cpu_ns() const;
    [[nodiscard]] Switches switches() const;
    void signal(int number) const;
    // SIGTERM to its process group, SIGKILL after five seconds.
    void stop();

private:
    pid_t pid_ = -1;
    clockid_t clock_ = 0;
};

// Pins the calling thread; a refusal is told on stderr.
void pin_self(int cpu);
// The nice value -20 for this process and the children to come, and for its session where the scheduler groups by
// session (autogroup), in which a nice value counts only among its own.
void be_preferred();
[[nodiscard]] int cpu_count();

}  // namespace hawser::perf
