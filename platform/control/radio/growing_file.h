// SPDX-License-Identifier: MIT
// A file that no reader meets half written: it grows under a hidden temporary name beside its place and is renamed at
// the end, never over another file. Or standard output, or a command's input, which have no name. Writes are gathered
// in memory; nothing reaches the disk before flush(), or write() with the buffer full. Every call may block, except
// where a command is written to. A failure names the call and stays: later calls do nothing and answer the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "platform/control/radio/command_pipe.h"
#include "platform/linux/fd.h"

namespace hawser::control {

class GrowingFile {
public:
    // Makes the folders on the way.
    [[nodiscard]] static Result<GrowingFile, Errno> create(const std::string& path);
    // Not closed in the end. What nobody takes is given up once `stop` is set.
    [[nodiscard]] static GrowingFile over(int fd, const std::atomic<bool>& stop);
    // Not closed in the end; outlives the file.
    [[nodiscard]] static GrowingFile into(CommandPipe& command);

    Result<Unit, Errno> write(Bytes bytes);
    Result<Unit, Errno> write_zeros(std::uint64_t count);
    // Over what is there, at once; files only.
    Result<Unit, Errno> write_at(std::uint64_t offset, Bytes bytes);
    Result<Unit, Errno> flush();
    // An extended attribute `user.NAME`, where there is a file and its file system keeps such.
    void set_attribute(const char* name, const std::string& value);
    // Flushes what it can and gives the file its name; answers the name, which has a number where the wanted one was
    // taken. After a failure what did reach the disk is kept under it all the same: fault() tells of that.
    Result<std::string, Errno> finish();
    // Takes away what was written.
    void discard();

    [[nodiscard]] bool is_stream() const { return stop_ != nullptr || command_ != nullptr; }
    // Those that write() took, and those of them that reached the file.
    [[nodiscard]] std::uint64_t bytes() const { return flushed_ + buffer_.size(); }
    [[nodiscard]] std::uint64_t flushed() const { return flushed_; }
    [[nodiscard]] std::optional<Errno> fault() const { return fault_; }

private:
    GrowingFile() = default;
    Result<Unit, Errno> fail(int error, const char* call);
    Result<Unit, Errno> put(Bytes bytes);
    Result<Unit, Errno> note_given(const Result<Unit, Errno>& given, std::uint64_t bytes);

    os::Fd owned_;
    int fd_ = -1;
    const std::atomic<bool>* stop_ = nullptr;
    CommandPipe* command_ = nullptr;
    std::string path_;
    std::string temporary_;
    std::vector<std::uint8_t> buffer_;
    std::uint64_t flushed_ = 0;
    std::optional<Errno> fault_;
};

}  // namespace hawser::control
