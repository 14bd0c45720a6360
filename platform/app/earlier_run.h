// SPDX-License-Identifier: MIT
// What a sender leaves for its next run, in a file of the runtime directory: the id of its group at the receiver, and
// the latency of its SRT session. The id lets whoever knows it join the group, so the file is the owner's alone.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/bond/sender.h"

namespace hawser::app {

class EarlierRunFile {
public:
    // Of the sender that listens there. An empty folder: nothing is kept.
    EarlierRunFile(const std::string& folder, const std::string& listen_address, std::uint16_t listen_port);

    // What was left for that receiver; nothing where there is no file, it is of another receiver, or damaged, which is
    // said.
    [[nodiscard]] bond::EarlierRun read(const std::string& receiver) const;
    // Written when it has changed. A failure is said once.
    void keep(const bond::EarlierRun& run, const std::string& receiver);

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
    std::string kept_;
    bool failed_ = false;
};

// The file's text, and what it says for that receiver; the error is a sentence.
[[nodiscard]] std::string earlier_run_text(const bond::EarlierRun& run, const std::string& receiver);
[[nodiscard]] Result<bond::EarlierRun, std::string> earlier_run_in(std::string_view text, const std::string& receiver);

}  // namespace hawser::app
