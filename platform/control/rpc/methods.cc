// SPDX-License-Identifier: MIT
#include "platform/control/rpc/methods.h"

#include <algorithm>
#include <exception>

#include "engine/base/check.h"
#include "platform/linux/clock.h"

namespace hawser::rpc {

void Methods::add(Method method) {
    const auto same = [&](const Method& m) { return m.name == method.name; };
    HAWSER_CHECK(std::none_of(methods_.begin(), methods_.end(), same));
    methods_.push_back(std::move(method));
}

Outcome Methods::call(const Request& request, const Caller& caller) const {
    const auto method =
        std::find_if(methods_.begin(), methods_.end(), [&](const Method& m) { return m.name == request.method; });
    if (method == methods_.end()) {
        std::string name = request.method.substr(0, 80);
        return Failure{Error{Code::method_not_found, "there is no such method; rpc.methods lists them",
                             Json{{"method", std::move(name)}}}};
    }
    if (method->role == Role::operate && caller.role != Role::operate)
        return Failure{Error{Code::forbidden, "this method is for those who may operate",
                             Json{{"method", method->name}, {"role", name_of(caller.role)}}}};
    if (refusal_ && method->role == Role::operate) return Failure{*refusal_};
    if (request.params.is_array() && !request.params.empty())
        return Failure{Error{Code::invalid_params, "parameters are given by name", Json{{"method", method->name}}}};
    try {
        return method->run(request.params, caller);
    } catch (const std::exception& e) {
        // A library's: ours are none.
        return Failure{Error{Code::internal_error, e.what(), Json{{"method", method->name}}}};
    }
}

// Whatever is not there, or is an observer's, changes nothing.
bool Methods::changes(const Request& request) const {
    return std::any_of(methods_.begin(), methods_.end(),
                       [&](const Method& m) { return m.name == request.method && m.role == Role::operate; });
}

std::string Methods::answer(std::string_view line, const Caller& caller) const {
    const auto message = parse_message(line);
    if (!message) return error_text("null", message.error());
    std::string out;
    const Instant end = os::now() + batch_time_max;
    for (const auto& request : message->requests) {
        std::string one;
        const bool is_too_much = message->is_batch && (out.size() > answer_bytes_max || os::now() > end);
        if (!request) {
            one = error_text(request.error().id, request.error().error);
        } else if (is_too_much && !request->id.empty()) {
            one = error_text(request->id, Error{Code::busy, "this batch asks for too much: ask in several"});
        } else if (is_too_much && !changes(*request)) {
            continue;
        } else {
            const Outcome outcome = call(*request, caller);
            if (request->id.empty()) continue;
            one = outcome ? result_text(request->id, *outcome) : error_text(request->id, outcome.error());
        }
        if (message->is_batch) out.append(out.empty() ? "[" : ",");
        out.append(one);
    }
    if (message->is_batch && !out.empty()) out.append("]");
    return out;
}

Json Methods::list() const {
    Json out = Json::array();
    for (const Method& m : methods_)
        out.push_back(Json{{"method", m.name}, {"role", name_of(m.role)}, {"help", m.help}});
    return out;
}

}  // namespace hawser::rpc
