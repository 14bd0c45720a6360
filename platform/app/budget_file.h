// SPDX-License-Identifier: MIT
// Where budgets outlive the process: one file, replaced as a whole, at most once in save_every and at the end. Writing
// happens on a thread of its own, since a disk may take its time; reading once, at the start. A file that cannot be
// understood is told of, kept beside it, and not used. What cannot be written waits, and is tried again. The folder
// belongs to one process at a time.
// Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "platform/control/links/budgets.h"
#include "platform/control/worker.h"
#include "platform/linux/fd.h"

namespace hawser::app {

class BudgetFile {
public:
    static constexpr Duration save_every{10'000'000'000};

    // `on_change`: errno of the first write that failed, and 0 of the first that succeeded after it.
    BudgetFile(control::Loop& loop, std::string folder, std::function<void(int error)> on_change);

    // Reads what there is. The error is a sentence: the folder cannot be had, or is another process's.
    [[nodiscard]] Result<Unit, std::string> begin(control::Budgets& budgets);
    // Writes what has changed, if it is time to.
    void save(control::Budgets& budgets, Instant now);
    // Writes what has changed, and waits for it.
    void finish(control::Budgets& budgets);

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    void write(control::Budgets& budgets);
    void on_written(int error);

    std::string folder_;
    std::string path_;
    std::function<void(int error)> on_change_;
    control::Worker worker_;
    os::Fd lock_;
    Instant saved_at_{-1'000'000'000'000};
    bool is_writing_ = false;
    bool is_stale_ = false;  // the last write failed
    bool has_failed_ = false;
};

// The service manager's, or the user's own.
[[nodiscard]] std::string default_state_folder();

}  // namespace hawser::app
