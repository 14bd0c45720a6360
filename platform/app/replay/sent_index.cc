// SPDX-License-Identifier: MIT
#include "platform/app/replay/sent_index.h"

#include <utility>

namespace hawser::app {

void SentIndex::settle() {
    if (is_refused_.empty()) return;
    std::vector<bool> is_out(copies_.size());
    for (const std::size_t i : std::exchange(is_refused_, {})) is_out[i] = true;
    const std::vector<SentCopy> all = std::exchange(copies_, {});
    newest_.clear();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (!is_out[i]) add(all[i].sequence, all[i].bytes, all[i].sent_ns);
}

}  // namespace hawser::app
