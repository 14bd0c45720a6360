// SPDX-License-Identifier: MIT
// Small files that other programs read while they change: written beside themselves and renamed, so that a reader
// finds the old text or the new one, whole. A link in the place of the draft is never followed.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace hawser::os {

struct ReplaceOptions {
    bool is_durable = false;    // on the disk when it returns: a power cut leaves the old text or the new one
    bool makes_folder = false;  // and those above it
    bool is_private = false;    // readable by the owner alone
};

// The folders above the path, as far as they can be made: one that cannot shows when the file is opened.
void make_folders(const std::string& path);

// Readable by all unless private, writable by the owner; the folder has to be writable. On failure nothing has changed.
Result<Unit, Errno> replace_file(const std::string& path, std::string_view text, ReplaceOptions options = {});

}  // namespace hawser::os
