// SPDX-License-Identifier: MIT
#include "platform/control/rpc/line_buffer.h"

#include <algorithm>

namespace hawser::rpc {

void LineBuffer::compact() {
    if (begin_ == 0) return;
    buffer_.erase(0, begin_);
    scanned_ -= std::min(scanned_, begin_);
    begin_ = 0;
}

bool LineBuffer::has_line() const {
    return (!is_skipping_ && buffer_.size() - begin_ > line_max_) ||
           buffer_.find('\n', std::max(scanned_, begin_)) != std::string::npos;
}

std::optional<LineBuffer::Line> LineBuffer::next() {
    for (;;) {
        const std::size_t end = buffer_.find('\n', std::max(scanned_, begin_));
        if (end == std::string::npos) {
            if (buffer_.size() - begin_ > line_max_ || is_skipping_) {
                buffer_.clear();
                begin_ = scanned_ = 0;
                if (!is_skipping_) {
                    is_skipping_ = true;
                    return Line{{}, true};
                }
                return std::nullopt;
            }
            scanned_ = buffer_.size();
            // Only what is left of a few lines is moved.
            compact();
            return std::nullopt;
        }
        const std::string_view line = std::string_view(buffer_).substr(begin_, end - begin_);
        begin_ = scanned_ = end + 1;
        if (is_skipping_) {
            is_skipping_ = false;
            continue;
        }
        if (line.size() > line_max_) return Line{{}, true};
        return Line{line, false};
    }
}

}  // namespace hawser::rpc
