// SPDX-License-Identifier: MIT
// A method's parameters, by name. What is missing or of the wrong kind is an error that names the parameter, what is
// expected and what was given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/control/rpc/message.h"

namespace hawser::rpc {

[[nodiscard]] inline Error bad_argument(std::string_view name, std::string_view expected, const Params* given) {
    Json data{{"parameter", name}, {"expected", expected}};
    if (given != nullptr) {
        // Enough to recognise it.
        std::string text = text_of(*given);
        if (text.size() > 80) text = text.substr(0, 80) + "...";
        data["given"] = text;
    }
    return Error{
        Code::invalid_params,
        std::string("parameter ").append(name).append(given == nullptr ? " is missing: " : ": ").append(expected),
        std::move(data)};
}

[[nodiscard]] inline const Params* find_argument(const Params& params, std::string_view name) {
    if (!params.is_object()) return nullptr;
    const auto found = params.find(std::string(name));
    return found == params.end() ? nullptr : &*found;
}

[[nodiscard]] inline Result<std::string, Error> text_argument(const Params& params, std::string_view name,
                                                              std::string_view expected) {
    const Params* given = find_argument(params, name);
    if (given == nullptr || !given->is_string()) return Failure{bad_argument(name, expected, given)};
    return given->get<std::string>();
}

[[nodiscard]] inline Result<bool, Error> switch_argument(const Params& params, std::string_view name) {
    const Params* given = find_argument(params, name);
    if (given == nullptr || !given->is_boolean()) return Failure{bad_argument(name, "true or false", given)};
    return given->get<bool>();
}

[[nodiscard]] inline Result<std::uint64_t, Error> count_argument(const Params& params, std::string_view name,
                                                                 std::string_view expected) {
    const Params* given = find_argument(params, name);
    if (given == nullptr || !given->is_number_unsigned()) return Failure{bad_argument(name, expected, given)};
    return given->get<std::uint64_t>();
}

}  // namespace hawser::rpc
