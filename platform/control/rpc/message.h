// SPDX-License-Identifier: MIT
// JSON-RPC 2.0 (jsonrpc.org/specification, 2013-01-04), one message a line: a line into requests, and answers, errors
// and events into lines. Pure. A batch holds at most batch_max requests; a longer one is refused as a whole.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "platform/control/rpc/json.h"

namespace hawser::rpc {

inline constexpr std::size_t line_bytes_max = 64 * 1024;
inline constexpr std::size_t batch_max = 64;

enum class Code : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    // The specification leaves -32000 to -32099 to servers.
    refused = -32000,    // understood, and not possible now: `message` says why
    forbidden = -32001,  // the caller's role does not allow it
    busy = -32002,       // too many clients, or too much asked for at once
};

// The check follows an assertion into the JSON library's move constructor, which is noexcept.
struct Error {  // NOLINT(bugprone-exception-escape)
    Code code = Code::internal_error;
    std::string message;
    Json data = nullptr;  // what and where; null: nothing more to say
};

using Outcome = Result<Json, Error>;

struct Request {
    std::string id;  // as JSON, to be given back as it came; empty: a notification, which gets no answer
    std::string method;
    Params params = Params::object();
};
struct BadRequest {
    std::string id = "null";
    Error error;
};

struct Message {
    bool is_batch = false;
    std::vector<Result<Request, BadRequest>> requests;
};

// Empty batches and long ones are errors of the whole line.
[[nodiscard]] Result<Message, Error> parse_message(std::string_view line);

// Without the line end, which is the stream's.
[[nodiscard]] std::string result_text(std::string_view id, const Json& result);
[[nodiscard]] std::string error_text(std::string_view id, const Error& error);
[[nodiscard]] std::string request_text(std::string_view id, std::string_view method, const Json& params);
// {"jsonrpc":"2.0","method":"TOPIC.update","params":{"subscription_id":"TOPIC","data":...}}: as irlserver/srtla_send
// 86b90aa pushes them. A connection has one subscription for each topic, so the topic's name is its id.
[[nodiscard]] std::string event_text(std::string_view topic, const Json& data);
// Events that a slow reader lost: as many as `count`, before the next that it gets.
[[nodiscard]] std::string lost_text(std::uint64_t count);

}  // namespace hawser::rpc
