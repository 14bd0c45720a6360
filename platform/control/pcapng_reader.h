// SPDX-License-Identifier: MIT
// Reads a capture file such as PcapngWriter writes: one little-endian section, interfaces of raw IP with stamps in
// nanoseconds, packets. Blocks of other kinds are passed over, as editors of captures add some. Every size is checked;
// an error says the file and at which byte. A file that ends within a block gives what came before, and a note.
// Pure, over bytes that outlive it: what it answers views them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace hawser::control {

class PcapngReader {
public:
    struct Interface {
        std::string_view name;
        std::string_view description;
    };
    struct Packet {
        std::uint32_t interface = 0;  // below interfaces().size()
        std::int64_t utc_ns = 0;      // since 1970
        bool is_outbound = false;
        Bytes bytes;               // what was kept of it
        std::uint32_t length = 0;  // what it had
        std::string_view comment;
    };
    // As many interfaces are taken; a recording has one for each way.
    static constexpr std::size_t interfaces_max = 4096;

    // Of a file with its section's header; `name` stands in errors.
    [[nodiscard]] static Result<PcapngReader, std::string> open(std::string_view file, std::string name);
    // The next packet; absent at the end.
    [[nodiscard]] Result<std::optional<Packet>, std::string> next();

    [[nodiscard]] std::string_view application() const { return application_; }
    [[nodiscard]] std::string_view comment() const { return comment_; }
    // Those met so far.
    [[nodiscard]] const std::vector<Interface>& interfaces() const { return interfaces_; }
    // After the end: what is to be said of the file's tail; empty: it is whole.
    [[nodiscard]] const std::string& note() const { return note_; }

private:
    struct Block {
        std::uint32_t type = 0;
        std::string_view body;
    };
    PcapngReader(std::string_view file, std::string name) : file_(file), name_(std::move(name)) {}
    // The error of what is wrong at byte begin_ + `at`.
    [[nodiscard]] std::string wrong(std::size_t at, std::string_view what) const;
    [[nodiscard]] Result<std::optional<Block>, std::string> next_block();
    [[nodiscard]] Result<Unit, std::string> read_section(std::string_view body);
    [[nodiscard]] Result<Unit, std::string> read_interface(std::string_view body);
    [[nodiscard]] Result<Packet, std::string> read_packet(std::string_view body) const;
    // Tells each option of those that begin at `at` of a block's body.
    template <class Take>
    [[nodiscard]] Result<Unit, std::string> each_option(std::string_view body, std::size_t at, Take&& take) const;

    std::string_view file_;
    std::string name_;
    std::size_t begin_ = 0;  // of the block in hand
    std::size_t next_ = 0;
    std::string_view application_;
    std::string_view comment_;
    std::vector<Interface> interfaces_;
    std::string note_;
};

}  // namespace hawser::control
