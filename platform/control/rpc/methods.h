// SPDX-License-Identifier: MIT
// What a server can be asked: one row for each method, with who may ask. A row's function gets its parameters as an
// object and answers at once. answer() turns a client's line into the line to give back.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "platform/control/rpc/message.h"

namespace hawser::rpc {

enum class Role : std::uint8_t { observe, operate };
[[nodiscard]] constexpr std::string_view name_of(Role role) { return role == Role::operate ? "operate" : "observe"; }

struct Caller {
    Role role = Role::observe;
    std::uint64_t client = 0;  // the connection
    std::string who;           // "uid 1000, pid 4242", for the log
};

struct Method {
    std::string name;
    Role role = Role::observe;  // the least that may call it
    std::function<Outcome(const Params& params, const Caller& caller)> run;
    std::string help;  // one line: parameters, and what it does
};

class Methods {
public:
    // A name that is there already is a bug.
    void add(Method method);
    [[nodiscard]] Outcome call(const Request& request, const Caller& caller) const;
    // Empty: there is nothing to answer, as the line held notifications only. An answer stays below answer_bytes_max
    // plus one method's result, and its making below batch_time_max plus one method's time: the rest of a batch that
    // asks for more is told so. Of notifications the operators' are carried out all the same, and observers' are not.
    [[nodiscard]] std::string answer(std::string_view line, const Caller& caller) const;
    // From now on what would change something is refused with that; questions are answered.
    void refuse_changes(Error why) { refusal_ = std::move(why); }
    // Name, role and help of each, in the order they were added.
    [[nodiscard]] Json list() const;

private:
    static constexpr std::size_t answer_bytes_max = 1024 * 1024;
    static constexpr Duration batch_time_max{20'000'000};  // untuned
    [[nodiscard]] bool changes(const Request& request) const;
    std::vector<Method> methods_;
    std::optional<Error> refusal_;
};

}  // namespace hawser::rpc
