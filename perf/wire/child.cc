// SPDX-License-Identifier: MIT
#include "perf/wire/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "perf/wire/udp.h"

namespace hawser::perf {

std::vector<std::string> split_command(const std::string& command) {
    std::vector<std::string> words;
    std::string word;
    bool open = false;
    char quote = 0;
    for (const char c : command) {
        if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            open = true;
        } else if (c == ' ' || c == '\t') {
            if (open) words.push_back(word);
            word.clear();
            open = false;
        } else {
            word += c;
            open = true;
        }
    }
    if (open) words.push_back(word);
    return words;
}

std::string fill(std::string command, const std::vector<Placeholder>& values) {
    for (const Placeholder& v : values) {
        const std::string mark = "{" + v.name + "}";
        for (std::size_t at = command.find(mark); at != std::string::npos; at = command.find(mark, at + v.value.size()))
            command.replace(at, mark.size(), v.value);
    }
    return command;
}

namespace {

bool pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

[[noreturn]] void become(const std::vector<std::string>& words, int cpu, const std::string& log) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (cpu >= 0 && !pin(cpu)) _exit(126);
    const int null = open("/dev/null", O_RDONLY);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (null >= 0) dup2(null, 0);
    if (out >= 0) {
        dup2(out, 1);
        dup2(out, 2);
    }
    std::vector<char*> arguments;
    for (const std::string& w : words) arguments.push_back(const_cast<char*>(w.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    std::fprintf(stderr, "cannot run %s\n", arguments[0]);
    _exit(127);
}

}  // namespace

Child::Child(const std::string& command, int cpu, const std::string& log) {
    const std::vector<std::string> words = split_command(command);
    if (words.empty()) die("an empty command");
    pid_ = fork();
    if (pid_ < 0) die("fork");
    if (pid_ == 0) become(words, cpu, log);
    setpgid(pid_, pid_);
    if (clock_getcpuclockid(pid_, &clock_) != 0) die("clock_getcpuclockid");
}

bool Child::alive() {
    if (pid_ < 0) return false;
    if (waitpid(pid_, nullptr, WNOHANG) == 0) return true;
    pid_ = -1;
    return false;
}

std::int64_t Child::cpu_ns() const {
    timespec t{};
    if (pid_ < 0 || clock_gettime(clock_, &t) != 0) return 0;
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

Switches Child::switches() const {
    Switches sum;
    const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
    DIR* directory = opendir(tasks.c_str());
    if (directory == nullptr) return sum;
    while (const dirent* entry = readdir(directory)) {
        if (entry->d_name[0] == '.') continue;
        std::ifstream status(tasks + "/" + entry->d_name + "/status");
        std::string key;
        while (status >> key) {
            std::uint64_t value = 0;
            if (key == "voluntary_ctxt_switches:" && status >> value) sum.voluntary += value;
            if (key == "nonvoluntary_ctxt_switches:" && status >> value) sum.involuntary += value;
        }
    }
    closedir(directory);
    return sum;
}

void Child::signal(int number) const {
    if (pid_ > 0) kill(pid_, number);
}

void Child::stop() {
    if (pid_ < 0) return;
    kill(-pid_, SIGTERM);
    const std::int64_t deadline = now_ns() + 5'000'000'000;
    while (alive() && now_ns() < deadline) usleep(2000);
    if (pid_ < 0) return;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void pin_self(int cpu) {
    if (!pin(cpu)) std::fprintf(stderr, "note: cannot pin to CPU %d\n", cpu);
}

void be_preferred() {
    if (setpriority(PRIO_PROCESS, 0, -20) != 0) std::fprintf(stderr, "note: no right to a nice value of -20\n");
    std::ofstream("/proc/self/autogroup") << "-20";
}

int cpu_count() { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }

}  // namespace hawser::perf
