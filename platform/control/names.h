// SPDX-License-Identifier: MIT
// Names and their addresses, beside the control loop: looked up by a worker, remembered for a while. Never blocks.
//  - One lookup of a name at a time: who asks meanwhile shares its answer.
//  - An address is good for found_good_for, a refusal for missing_good_for: the system's resolver tells no lifetimes.
//  - Bounded: beyond asked_max names at once the answer is an error at once; beyond known_max the oldest are forgotten.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/time.h"
#include "platform/control/resolver.h"
#include "platform/control/worker.h"

namespace hawser::control {

class Names {
public:
    using Handler = std::function<void(const Resolution&)>;
    using Lookup = std::function<Resolution(const std::string& host)>;
    static constexpr Duration found_good_for{60'000'000'000};   // a usual lifetime of mDNS addresses is 120 s
    static constexpr Duration missing_good_for{5'000'000'000};  // untuned
    static constexpr std::size_t known_max = 256;
    static constexpr std::size_t asked_max = 64;
    // One that hangs leaves the others.
    static constexpr std::size_t threads = 2;

    // `lookup` blocks, and is called by the worker's threads.
    explicit Names(
        Loop& loop, Lookup lookup = [](const std::string& host) { return resolve(host, 0); });

    // The answer is given before it returns when it is known, else by the loop.
    void ask(const std::string& host, Handler handler);
    [[nodiscard]] std::uint64_t lookups() const { return lookups_; }

private:
    struct Known {
        Resolution answer;
        Instant until;
    };
    void on_answer(const std::string& host, const Resolution& answer);

    Lookup lookup_;
    std::unordered_map<std::string, Known> known_;
    std::unordered_map<std::string, std::vector<Handler>> asked_;
    std::uint64_t lookups_ = 0;
    Worker worker_;
};

}  // namespace hawser::control
