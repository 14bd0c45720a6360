// SPDX-License-Identifier: MIT
#include "platform/app/budget_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "platform/app/log.h"
#include "platform/app/plain_text.h"
#include "platform/linux/replace_file.h"

namespace hawser::app {

namespace {

// 256 accounts are a twentieth of it.
constexpr std::size_t file_bytes_max = 1 << 20;

// Absent: there is no such file.
Result<std::optional<std::string>, std::string> read_file(const std::string& path) {
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open() && errno == ENOENT) return std::optional<std::string>();
    if (!file.is_open()) return Failure{std::string(std::strerror(errno))};
    std::string text(file_bytes_max, '\0');
    std::size_t size = 0;
    for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(std::max<ssize_t>(got, 0)))
        if (got = ::read(file.get(), text.data() + size, text.size() - size); got < 0)
            return Failure{std::string(std::strerror(errno))};
    text.resize(size);
    return std::optional(std::move(text));
}

}  // namespace

std::string default_state_folder() {
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value != nullptr ? value : "");
    };
    if (const std::string d = variable("STATE_DIRECTORY"); !d.empty()) return d.substr(0, d.find(':'));
    if (::geteuid() == 0) return "/var/lib/hawser";
    if (const std::string d = variable("XDG_STATE_HOME"); !d.empty()) return d + "/hawser";
    if (const std::string d = variable("HOME"); !d.empty()) return d + "/.local/state/hawser";
    return "/var/lib/hawser";
}

BudgetFile::BudgetFile(control::Loop& loop, std::string folder, std::function<void(int error)> on_failure)
    : folder_(std::move(folder)),
      path_(folder_ + "/budgets.json"),
      on_failure_(std::move(on_failure)),
      worker_(loop, "hawser-budgets", 1, 2) {}

Result<Unit, std::string> BudgetFile::begin(control::Budgets& budgets) {
    const std::string lock = folder_ + "/budgets.lock";
    os::make_folders(lock);
    lock_ = os::Fd(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_.is_open())
        return Failure{"budgets cannot be kept in " + folder_ + ": " + std::strerror(errno) +
                       " (--state-dir names another folder)"};
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
        return Failure{errno == EWOULDBLOCK
                           ? "another hawser keeps its budgets in " + folder_ + ": give each its own --state-dir"
                           : "cannot lock " + lock + ": " + std::strerror(errno)};
    const auto text = read_file(path_);
    if (!text) return Failure{"cannot read " + path_ + ": " + text.error()};
    if (!text->has_value()) return Unit{};
    if (const auto read = budgets.read(**text); !read) {
        const std::string aside = path_ + ".unread";
        const bool is_kept = std::rename(path_.c_str(), aside.c_str()) == 0;
        log(Level::error, "{} cannot be used: {}. Budgets begin anew; {}", path_, printable(read.error()),
            is_kept ? "the file is kept as " + aside : "it could not be kept: " + std::string(std::strerror(errno)));
    }
    return Unit{};
}

void BudgetFile::save(control::Budgets& budgets, Instant now) {
    if (is_writing_ || now - saved_at_ < save_every) return;
    if (!budgets.take_changed() && !is_stale_) return;
    saved_at_ = now;
    write(budgets);
}

void BudgetFile::finish(control::Budgets& budgets) {
    worker_.finish();
    worker_.hand_out();
    if (!budgets.take_changed() && !is_stale_) return;
    write(budgets);
    worker_.finish();
    worker_.hand_out();
}

void BudgetFile::write(control::Budgets& budgets) {
    is_writing_ = worker_.post([this, path = path_, text = budgets.text()]() -> control::Worker::Done {
        const auto written = os::replace_file(path, text, {.is_durable = true, .makes_folder = true});
        const int error = written ? 0 : written.error().value;
        return [this, error] { on_written(error); };
    });
    is_stale_ = !is_writing_;
}

void BudgetFile::on_written(int error) {
    is_writing_ = false;
    is_stale_ = error != 0;
    if (error != 0 && !std::exchange(has_failed_, true)) on_failure_(error);
    if (error == 0) has_failed_ = false;
}

}  // namespace hawser::app
