// SPDX-License-Identifier: MIT
#include "platform/control/names.h"

#include <algorithm>
#include <utility>

#include "platform/linux/clock.h"

namespace hawser::control {

Names::Names(Loop& loop, Lookup lookup)
    : lookup_(std::move(lookup)), worker_(loop, "hawser-names", threads, asked_max) {}

void Names::ask(const std::string& host, Handler handler) {
    if (const auto found = known_.find(host); found != known_.end() && os::now() < found->second.until) {
        const Resolution answer = found->second.answer;  // the handler may ask again
        handler(answer);
        return;
    }
    if (const auto found = asked_.find(host); found != asked_.end()) {
        found->second.push_back(std::move(handler));
        return;
    }
    const bool is_posted = asked_.size() < asked_max && worker_.post([this, host, lookup = lookup_]() -> Worker::Done {
        return [this, host, answer = lookup(host)] { on_answer(host, answer); };
    });
    if (!is_posted) {
        Resolution refusal;
        refusal.host = host;
        refusal.error = "too many names are being looked up, or no thread can be had for it";
        handler(refusal);
        return;
    }
    ++lookups_;
    asked_[host].push_back(std::move(handler));
}

void Names::on_answer(const std::string& host, const Resolution& answer) {
    if (known_.size() >= known_max && known_.count(host) == 0)
        known_.erase(std::min_element(known_.begin(), known_.end(),
                                      [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
    known_[host] = {answer, os::now() + (answer.resolved.count != 0 ? found_good_for : missing_good_for)};
    const auto handlers = std::exchange(asked_[host], {});
    asked_.erase(host);
    for (const Handler& h : handlers) h(answer);
}

}  // namespace hawser::control
