// SPDX-License-Identifier: MIT
#include "platform/control/rpc/message.h"

#include <algorithm>

namespace hawser::rpc {

namespace {

constexpr std::string_view head = R"({"jsonrpc":"2.0",)";

Result<Request, BadRequest> parse_request(Params&& value) {
    BadRequest bad;
    const auto refuse = [&](std::string message, Json data) {
        bad.error = Error{Code::invalid_request, std::move(message), std::move(data)};
        return Failure{std::move(bad)};
    };
    if (!value.is_object())
        return refuse("a request is an object", Json{{"expected", "object"}, {"given", value.type_name()}});
    Request request;
    if (const auto id = value.find("id"); id != value.end()) {
        if (!id->is_string() && !id->is_number() && !id->is_null())
            return refuse("an id is a string or a number", Json{{"member", "id"}, {"given", id->type_name()}});
        bad.id = request.id = text_of(*id);
    }
    if (const auto version = value.find("jsonrpc"); version == value.end() || *version != "2.0")
        return refuse("the member jsonrpc must be \"2.0\"", Json{{"member", "jsonrpc"}});
    const auto method = value.find("method");
    if (method == value.end() || !method->is_string())
        return refuse("the member method must be a string", Json{{"member", "method"}});
    request.method = method->get<std::string>();
    if (const auto params = value.find("params"); params != value.end()) {
        if (!params->is_structured())
            return refuse("params are an object", Json{{"member", "params"}, {"given", params->type_name()}});
        request.params = std::move(*params);
    }
    return request;
}

}  // namespace

Result<Message, Error> parse_message(std::string_view line) {
    std::string complaint;
    auto value = parse_json(line, complaint);
    if (!value) return Failure{Error{Code::parse_error, "this is no JSON", std::move(complaint)}};
    Message message;
    message.is_batch = value->is_array();
    if (!message.is_batch) {
        message.requests.push_back(parse_request(std::move(*value)));
        return message;
    }
    if (value->empty()) return Failure{Error{Code::invalid_request, "the batch is empty"}};
    if (value->size() > batch_max)
        return Failure{Error{Code::invalid_request, "a batch holds at most " + std::to_string(batch_max) + " requests",
                             Json{{"requests", value->size()}}}};
    for (Params& one : *value) message.requests.push_back(parse_request(std::move(one)));
    return message;
}

std::string result_text(std::string_view id, const Json& result) {
    return std::string(head).append("\"result\":").append(text_of(result)).append(",\"id\":").append(id).append("}");
}

std::string error_text(std::string_view id, const Error& error) {
    Json e{{"code", static_cast<int>(error.code)}, {"message", error.message}};
    if (!error.data.is_null()) e["data"] = error.data;
    return std::string(head).append("\"error\":").append(text_of(e)).append(",\"id\":").append(id).append("}");
}

std::string request_text(std::string_view id, std::string_view method, const Json& params) {
    std::string text(head);
    if (!id.empty()) text.append("\"id\":").append(id).append(",");
    text.append("\"method\":").append(text_of(Json(method)));
    if (!params.is_null()) text.append(",\"params\":").append(text_of(params));
    return text.append("}");
}

std::string event_text(std::string_view topic, const Json& data) {
    const std::string name(topic);
    return request_text({}, name + ".update", Json{{"subscription_id", name}, {"data", data}});
}

std::string lost_text(std::uint64_t count) { return request_text({}, "events.lost", Json{{"count", count}}); }

}  // namespace hawser::rpc
