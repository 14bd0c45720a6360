// SPDX-License-Identifier: MIT
// Small files that other programs read while they change: written beside themselves and renamed, so that a reader
// finds the old text or the new one, whole. A link in the place of the draft is never followed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "engine/base/result.h"
#include "platform/linux/fd.h"

namespace hawser::os {

struct ReplaceOptions {
    bool is_durable = false;    // on the disk when it returns: a power cut leaves the old text or the new one
    bool makes_folder = false;  // and those above it
    bool is_private = false;    // readable by the owner alone
};

// The folders above the path, as far as they can be made: one that cannot shows when the file is opened.
void make_folders(const std::string& path);

// One that is written in pieces, readable by all unless private, writable by the owner; the folder has to be writable.
// What is begun and not finished leaves nothing.
class FileDraft {
public:
    [[nodiscard]] static Result<FileDraft, Errno> begin(const std::string& path, ReplaceOptions options);
    // The whole of it. After a failure nothing more is to be written.
    [[nodiscard]] Result<Unit, Errno> write(std::string_view text);
    // The file is under its name then.
    [[nodiscard]] Result<Unit, Errno> finish();
    ~FileDraft();
    FileDraft(FileDraft&&) = default;
    FileDraft& operator=(FileDraft&&) = delete;

private:
    FileDraft(Fd file, std::string path, std::string draft, bool is_durable)
        : file_(std::move(file)), path_(std::move(path)), draft_(std::move(draft)), is_durable_(is_durable) {}

    Fd file_;  // closed: it is finished
    std::string path_;
    std::string draft_;
    bool is_durable_;
};

// All at once. On failure nothing has changed.
Result<Unit, Errno> replace_file(const std::string& path, std::string_view text, ReplaceOptions options = {});

}  // namespace hawser::os
