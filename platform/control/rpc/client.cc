// SPDX-License-Identifier: MIT
#include "platform/control/rpc/client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "platform/control/rpc/unix_address.h"
#include "platform/linux/clock.h"

namespace hawser::rpc {

namespace {

Json json_of(const Params& value) { return Json::parse(text_of(value)); }

Outcome outcome_of(const Params& reply) {
    if (const auto result = reply.find("result"); result != reply.end()) return json_of(*result);
    const auto error = reply.find("error");
    if (error == reply.end() || !error->is_object())
        return Failure{Error{Code::internal_error, "an answer without result and error"}};
    Error e;
    if (const auto code = error->find("code"); code != error->end() && code->is_number_integer())
        e.code = static_cast<Code>(code->get<int>());
    if (const auto text = error->find("message"); text != error->end() && text->is_string())
        e.message = text->get<std::string>();
    if (const auto data = error->find("data"); data != error->end()) e.data = json_of(*data);
    return Failure{std::move(e)};
}

}  // namespace

Client::Client(control::Loop& loop, std::string path, std::uint64_t seed)
    : loop_(loop), path_(std::move(path)), random_(seed) {
    loop_.watch(retry_.fd(), [this] {
        retry_.acknowledge();
        if (state_ == State::waiting) connect();
    });
}

Client::~Client() {
    if (fd_.is_open()) loop_.unwatch(fd_.get());
    loop_.unwatch(retry_.fd());
}

void Client::on_state(std::function<void(State, const std::string&)> handler) {
    HAWSER_CHECK(!tell_state_ && state_ == State::stopped);
    tell_state_ = std::move(handler);
}

void Client::on_event(std::function<void(std::string_view, const Params&)> handler) {
    HAWSER_CHECK(!tell_event_ && state_ == State::stopped);
    tell_event_ = std::move(handler);
}

void Client::on_refusal(std::function<void(std::string_view, const Error&)> handler) {
    HAWSER_CHECK(!tell_refusal_ && state_ == State::stopped);
    tell_refusal_ = std::move(handler);
}

void Client::set_state(State state, const std::string& why) {
    state_ = state;
    if (tell_state_) tell_state_(state, why);
}

void Client::start() {
    if (state_ != State::stopped) return;
    state_ = State::waiting;
    connect();
}

void Client::stop() {
    if (state_ == State::stopped) return;
    retry_.set(never);
    if (fd_.is_open()) loop_.unwatch(fd_.get());
    fd_.reset();
    state_ = State::stopped;
    ++connection_;
    waiting_.clear();
    sent_.clear();
}

Duration Client::jittered(Duration wait) {
    return Duration{wait.ns - static_cast<std::int64_t>(random_.below(1'000)) * (wait.ns / 4'000)};
}

void Client::connect() {
    const auto address = unix_address(path_);
    os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    // A Unix socket connects at once or not at all: EAGAIN says that too many wait there.
    const bool is_connected = address && fd.is_open() && connect_to(fd.get(), *address) == 0;
    if (!is_connected) return lose(path_ + ": " + (address ? std::strerror(errno) : "no path for a socket"));
    fd_ = std::move(fd);
    ++connection_;
    lines_ = LineBuffer(answer_bytes_max);
    out_.clear();
    out_sent_ = 0;
    subscribing_.clear();
    loop_.watch(fd_.get(), [this] { on_socket(); });
    for (const std::string& topic : topics_) send_subscription(topic);
    for (Call& c : std::exchange(waiting_, {})) {
        sent_.emplace(c.id, std::move(c.answer));
        send_line(c.line);
    }
    const std::uint64_t connection = connection_;
    set_state(State::connected, {});
    if (connection == connection_ && state_ == State::connected) write();
}

void Client::lose(const std::string& why) {
    if (fd_.is_open()) loop_.unwatch(fd_.get());
    fd_.reset();
    ++connection_;
    state_ = State::waiting;
    retry_.set(os::now() + jittered(backoff_));
    backoff_ = longer(backoff_);
    fail_sent(why);
    if (state_ == State::waiting) set_state(State::waiting, why);
}

void Client::fail_sent(const std::string& why) {
    for (auto& [id, answer] : std::exchange(sent_, {}))
        if (answer) answer(Failure{Error{Code::refused, "the connection broke before the answer: " + why}});
}

bool Client::call(std::string_view method, Json params, Answer answer) {
    if (state_ == State::connected && sent_.size() >= unanswered_max) return false;
    const std::uint64_t id = next_id_++;
    std::string line = request_text(std::to_string(id), method, params);
    if (state_ == State::connected) {
        sent_.emplace(id, std::move(answer));
        send_line(line);
        write();
        return true;
    }
    if (waiting_.size() == calls_max) return false;
    waiting_.push_back(Call{std::move(line), id, std::move(answer)});
    return true;
}

void Client::subscribe(std::string topic) {
    if (std::find(topics_.begin(), topics_.end(), topic) != topics_.end()) return;
    topics_.push_back(std::move(topic));
    if (state_ != State::connected) return;
    send_subscription(topics_.back());
    write();
}

void Client::unsubscribe(std::string_view topic) {
    const auto found = std::find(topics_.begin(), topics_.end(), topic);
    if (found == topics_.end()) return;
    topics_.erase(found);
    if (state_ != State::connected) return;
    send_line(request_text(std::to_string(next_id_++), "unsubscribe", Json{{"subscription_id", topic}}));
    write();
}

void Client::send_subscription(const std::string& topic) {
    const std::uint64_t id = next_id_++;
    subscribing_.emplace(id, topic);
    send_line(request_text(std::to_string(id), "subscribe", Json{{"topic", topic}}));
}

void Client::send_line(const std::string& line) { out_.append(line).append("\n"); }

// What cannot be sent now goes when the socket takes it.
void Client::write() {
    while (out_sent_ < out_.size()) {
        const ssize_t count =
            ::send(fd_.get(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
        // A server that does not read any more is noticed when it is read.
        if (count < 0 && errno != EAGAIN && errno != EINTR) out_sent_ = out_.size();
        if (count <= 0) break;
        out_sent_ += static_cast<std::size_t>(count);
    }
    if (out_sent_ == out_.size()) {
        out_.clear();
        out_sent_ = 0;
    }
    loop_.set_interest(fd_.get(), true, !out_.empty());
}

void Client::on_socket() {
    const std::uint64_t connection = connection_;
    write();
    std::array<char, 16 * 1024> bytes;
    const ssize_t count = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const int error = errno;
    if (count > 0) lines_.add(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
    while (connection == connection_) {
        const auto line = lines_.next();
        if (!line) break;
        if (line->is_too_long) return lose("an answer longer than any of ours");
        on_line(std::string(line->text));
    }
    if (connection == connection_ && count <= 0)
        lose(count == 0 ? std::string("the server closed the connection") : std::string(std::strerror(error)));
}

void Client::on_line(std::string_view line) {
    std::string complaint;
    const auto message = parse_json(line, complaint);
    if (!message || !message->is_object()) return lose("an answer that is no JSON-RPC");
    const auto id = message->find("id");
    if (id == message->end()) {
        const auto method = message->find("method");
        const auto params = message->find("params");
        if (method == message->end() || !method->is_string() || params == message->end()) return;
        backoff_ = backoff_first;
        std::string topic = method->get<std::string>();
        const auto data = params->is_object() ? params->find("data") : params->end();
        if (const auto suffix = topic.rfind(".update"); suffix != std::string::npos) topic.resize(suffix);
        if (tell_event_) tell_event_(topic, params->is_object() && data != params->end() ? *data : *params);
        return;
    }
    // What has no id of ours is said of the connection: it is refused.
    if (!id->is_number_unsigned()) {
        const Outcome said = outcome_of(*message);
        return lose(said ? std::string("an answer to nobody") : said.error().message);
    }
    backoff_ = backoff_first;
    const auto number = id->get<std::uint64_t>();
    if (const auto asked = subscribing_.extract(number)) {
        const Outcome said = outcome_of(*message);
        if (!said && tell_refusal_) tell_refusal_(asked.mapped(), said.error());
        return;
    }
    const auto waits = sent_.find(number);
    if (waits == sent_.end()) return;  // the end of a subscription
    const Answer answer = std::move(waits->second);
    sent_.erase(waits);
    if (answer) answer(outcome_of(*message));
}

Outcome call_and_wait(const std::string& path, std::string_view method, const Json& params, Duration timeout) {
    const auto fail = [&](const std::string& why) { return Failure{Error{Code::refused, path + ": " + why}}; };
    const auto address = unix_address(path);
    if (!address) return fail("a path has 1 to " + std::to_string(socket_path_max) + " bytes");
    const os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return fail(std::strerror(errno));
    timeval wait{};
    wait.tv_sec = static_cast<time_t>(timeout.ns / 1'000'000'000);
    wait.tv_usec = static_cast<suseconds_t>(timeout.ns / 1'000 % 1'000'000);
    // For the connection too, when its queue is full.
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 || connect_to(fd.get(), *address) != 0)
        return fail(std::strerror(errno));
    const std::string line = request_text("1", method, params) + "\n";
    // A server that refuses us may have closed already; its reason is there to be read.
    [[maybe_unused]] const auto sent = ::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL);
    LineBuffer lines(Client::answer_bytes_max);
    std::array<char, 16 * 1024> bytes;
    const Instant end = os::now() + timeout;
    for (;;) {
        while (const auto got = lines.next()) {
            std::string complaint;
            const auto message = parse_json(got->text, complaint);
            if (got->is_too_long || !message || !message->is_object()) return fail("an answer that is no JSON-RPC");
            if (message->contains("id")) return outcome_of(*message);
        }
        if (os::now() >= end) return fail("no answer in time");
        const ssize_t count = ::recv(fd.get(), bytes.data(), bytes.size(), 0);
        if (count == 0) return fail("the server closed the connection");
        if (count < 0 && errno != EINTR) return fail(errno == EAGAIN ? "no answer in time" : std::strerror(errno));
        if (count > 0) lines.add(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
    }
}

}  // namespace hawser::rpc
