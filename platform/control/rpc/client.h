// SPDX-License-Identifier: MIT
// A program's one connection to a control socket, on its loop. It knows its state; while it is not connected it tries
// again after 1, 2, 4, 8, 16, 16 ... s, each shortened by up to a quarter at random, one attempt at a time; it keeps a
// bounded number of calls until then, and subscribes anew to what it was subscribed to.
//
// A call that had been sent when the connection broke fails: nobody knows whether it was carried out. Answers arrive in
// the loop's handlers; none comes after the client's end.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "platform/control/loop.h"
#include "platform/control/rpc/line_buffer.h"
#include "platform/control/rpc/message.h"

namespace hawser::rpc {

class Client {
public:
    enum class State : std::uint8_t { stopped, waiting, connected };
    using Answer = std::function<void(const Outcome&)>;

    static constexpr std::size_t calls_max = 64;         // that wait for a connection
    static constexpr std::size_t unanswered_max = 1024;  // that wait for their answers; untuned
    static constexpr Duration backoff_first{1'000'000'000};
    static constexpr Duration backoff_max{16'000'000'000};
    static constexpr std::size_t answer_bytes_max = 16 * 1024 * 1024;  // of a line: more is no server of ours

    // The loop outlives it. `seed`: for the jitter.
    Client(control::Loop& loop, std::string path, std::uint64_t seed);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Once each, before start(). `why` says what broke the connection, or kept it from being.
    void on_state(std::function<void(State state, const std::string& why)> handler);
    // Of every topic, and "events.lost" with {"count": N} when this reader was too slow.
    void on_event(std::function<void(std::string_view topic, const Params& data)> handler);
    // A subscription that the server refuses; it is asked for again with the next connection.
    void on_refusal(std::function<void(std::string_view topic, const Error& why)> handler);

    void start();
    void stop();
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] Duration backoff() const { return backoff_; }
    // What is waited after that wait was in vain.
    [[nodiscard]] static constexpr Duration longer(Duration wait) {
        return wait + wait < backoff_max ? wait + wait : backoff_max;
    }
    // When it connects again, while it waits.
    [[nodiscard]] Instant next_attempt() const { return retry_.deadline(); }

    // False when too many calls wait already, for a connection or for their answers; `answer` is not called then.
    bool call(std::string_view method, Json params, Answer answer);
    // Kept through reconnections. Twice is once.
    void subscribe(std::string topic);
    void unsubscribe(std::string_view topic);

private:
    struct Call {
        std::string line;
        std::uint64_t id = 0;
        Answer answer;
    };

    void connect();
    void lose(const std::string& why);
    void fail_sent(const std::string& why);
    void set_state(State state, const std::string& why);
    void on_socket();
    void on_line(std::string_view line);
    void send_subscription(const std::string& topic);
    void send_line(const std::string& line);
    void write();
    Duration jittered(Duration wait);

    control::Loop& loop_;
    std::string path_;
    Random random_;
    os::Fd fd_;
    control::Timer retry_;
    State state_ = State::stopped;
    Duration backoff_ = backoff_first;  // before the next attempt
    std::uint64_t next_id_ = 1;
    std::uint64_t connection_ = 0;  // counts them: a handler may end the one that it runs for
    LineBuffer lines_{answer_bytes_max};
    std::string out_;
    std::size_t out_sent_ = 0;
    std::deque<Call> waiting_;              // not sent
    std::map<std::uint64_t, Answer> sent_;  // not answered
    std::vector<std::string> topics_;
    std::map<std::uint64_t, std::string> subscribing_;  // not answered, on this connection
    std::function<void(State, const std::string&)> tell_state_;
    std::function<void(std::string_view, const Params&)> tell_event_;
    std::function<void(std::string_view, const Error&)> tell_refusal_;
};

// One call on a connection of its own; waits for the answer, at most `timeout`. Errors of the connection come as
// Code::refused with nothing but a message.
[[nodiscard]] Outcome call_and_wait(const std::string& path, std::string_view method, const Json& params,
                                    Duration timeout);

}  // namespace hawser::rpc
