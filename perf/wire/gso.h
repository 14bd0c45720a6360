// SPDX-License-Identifier: MIT
// Packets of one turn for one connected socket, sent by one sendmsg with UDP GSO; a lone packet goes without the
// control message. Packets are referred to, not copied, so they must live until flush().
#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace hawser::perf {

class SegmentedSend {
public:
    // 44 x 1472 bytes stay under the 65507 that one UDP send can carry.
    static constexpr unsigned segments_max = 44;

    void add(int fd, std::uint8_t* data, unsigned length) {
        // Every segment but the last has one size: another size starts anew, and a shorter one ends the train.
        if (used_ == segments_max || (used_ > 0 && (length > first_ || last_ != first_))) flush(fd);
        if (used_ == 0) first_ = length;
        last_ = length;
        parts_[used_++] = {data, length};
    }
    void flush(int fd) {
        if (used_ == 0) return;
        if (used_ == 1) {
            // The plain call: a message header to copy in is time, too.
            if (::send(fd, parts_[0].iov_base, first_, MSG_DONTWAIT) < 0) ++refused_;
            used_ = 0;
            return;
        }
        msghdr message{};
        message.msg_iov = parts_.data();
        message.msg_iovlen = used_;
        alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> control{};
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_UDP;
        header->cmsg_type = UDP_SEGMENT;
        header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
        const auto size = static_cast<std::uint16_t>(first_);
        std::memcpy(CMSG_DATA(header), &size, sizeof size);
        if (sendmsg(fd, &message, MSG_DONTWAIT) < 0) refused_ += used_;
        used_ = 0;
    }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

private:
    std::array<iovec, segments_max> parts_{};
    unsigned used_ = 0;
    unsigned first_ = 0;
    unsigned last_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace hawser::perf
