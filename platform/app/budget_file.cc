// SPDX-License-Identifier: MIT
#include "platform/app/budget_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "platform/app/log.h"
#include "platform/app/plain_text.h"
#include "platform/app/text_file.h"
#include "platform/linux/lock_file.h"
#include "platform/linux/replace_file.h"

namespace hawser::app {

namespace {

// Damaged files that are kept: the first ones, since what follows a damage may know less. The last makes room.
constexpr int kept_max = 4;

// Under a name that is free; its name then, empty when that failed.
std::string put_aside(const std::string& path) {
    for (int number = 1; number <= kept_max; ++number) {
        const std::string aside = path + ".unread" + (number == 1 ? "" : "." + std::to_string(number));
        if (number != kept_max && ::access(aside.c_str(), F_OK) == 0) continue;
        return std::rename(path.c_str(), aside.c_str()) == 0 ? aside : std::string();
    }
    return {};
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

BudgetFile::BudgetFile(control::Loop& loop, std::string folder, std::function<void(int error)> on_change)
    : folder_(std::move(folder)),
      path_(folder_ + "/budgets.json"),
      on_change_(std::move(on_change)),
      worker_(loop, "hawser-budgets", 1, 2) {}

Result<Unit, std::string> BudgetFile::begin(control::Budgets& budgets) {
    const std::string lock = folder_ + "/budgets.lock";
    os::make_folders(lock);
    auto locked = os::lock_file(lock);
    if (!locked)
        return Failure{locked.error().value == EWOULDBLOCK
                           ? "another hawser keeps its budgets in " + folder_ + ": give each its own --state-dir"
                           : "budgets cannot be kept in " + folder_ + ": " + std::strerror(locked.error().value) +
                                 " (--state-dir names another folder)"};
    lock_ = std::move(locked).value();
    const auto text = read_text_if_any(path_);
    if (!text) return Failure{"cannot read " + text.error()};
    if (!text->has_value()) return Unit{};
    if (const auto read = budgets.read(**text); !read) {
        const std::string aside = put_aside(path_);
        log(Level::error, "{} cannot be used: {}. Budgets begin anew; {}", path_, printable(read.error()),
            aside.empty() ? "it could not be kept: " + std::string(std::strerror(errno))
                          : "the file is kept as " + aside);
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
    if (std::exchange(has_failed_, error != 0) != (error != 0)) on_change_(error);
}

}  // namespace hawser::app
