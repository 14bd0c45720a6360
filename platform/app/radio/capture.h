// SPDX-License-Identifier: MIT
// UDP datagrams out of a capture (classic pcap, as tcpdump -w writes it, of either byte order, in us or ns) that comes
// as a stream: a file, or a pipe while it is being captured. What is no pcap is one datagram alone, as of a packet that
// was saved by itself. Everything in it is untrusted: lengths are checked, what is not understood is passed over and
// counted. Fragments are not put together.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/endpoint.h"

namespace hawser::app {

struct CapturedDatagram {
    std::optional<std::int64_t> unix_ns{};  // as the two that follow: of a capture, not of a packet alone
    Endpoint source;
    Endpoint destination;
    Bytes bytes;  // until the next call
};

class CaptureReader {
public:
    // Not closed. Reads what tells a capture from a packet.
    explicit CaptureReader(std::FILE* file);

    // Absent at the end, and where the rest cannot be read: complaint() tells then.
    [[nodiscard]] std::optional<CapturedDatagram> next();
    [[nodiscard]] const std::string& complaint() const { return complaint_; }
    // False: what is read is one packet alone.
    [[nodiscard]] bool is_capture() const { return is_capture_; }
    // Frames that hold no whole UDP datagram, so far.
    [[nodiscard]] std::uint64_t passed_over() const { return passed_over_; }

private:
    [[nodiscard]] bool fill(std::size_t bytes);
    [[nodiscard]] std::uint32_t u32(std::size_t at) const;
    [[nodiscard]] std::optional<CapturedDatagram> datagram_of(Bytes frame) const;

    std::FILE* file_;
    std::vector<std::uint8_t> room_;
    bool is_capture_ = false;
    bool is_over_ = false;
    bool is_big_endian_ = false;
    bool has_ns_ = false;
    std::uint32_t link_type_ = 0;
    std::string complaint_;
    std::uint64_t passed_over_ = 0;
};

}  // namespace hawser::app
