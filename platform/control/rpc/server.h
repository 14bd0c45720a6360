// SPDX-License-Identifier: MIT
// The control socket: takes clients, answers their requests, pushes events to those who subscribed. Everything happens
// on the loop's thread and nothing waits: what a client does not read waits in its outbox, within bounds.
//
// Laws, which tests/unit/control/rpc_server_test.cc and tests/io/control_socket.py quote:
//  - Whoever may open the socket file may observe. Root and the process's own user may operate; the file's group too
//    when the settings say so.
//  - Answers are never dropped. A client that does not read them is asked nothing more, and after answers_unread_max
//    it is closed. Events are dropped, a slow client's own and oldest first, and counted to it.
//  - Subscribing twice is one subscription.
//  - At most clients_max clients, two places of them for operators. When all are taken, a newcomer takes the place of
//    one that has been silent for idle_min, and has no subscription or has read nothing for as long of what waits for
//    it; or else it is told why it cannot stay.
//  - A turn takes a bounded number of lines from each client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "platform/control/loop.h"
#include "platform/control/rpc/line_buffer.h"
#include "platform/control/rpc/listener.h"
#include "platform/control/rpc/methods.h"
#include "platform/control/rpc/outbox.h"
#include "platform/control/rpc/server_settings.h"

namespace hawser::rpc {

class Server {
public:
    // Untuned: dashboards and scripts of one machine, 100 subscribers among them.
    static constexpr std::size_t clients_max = 128;
    static constexpr std::size_t operator_places = 2;
    static constexpr Duration idle_min{10'000'000'000};
    static constexpr Duration answers_unread_max{10'000'000'000};
    static constexpr Duration hold_max{50'000'000};

    // Clients may connect from here on; they are served after serve(). The loop outlives the server.
    [[nodiscard]] static Result<std::unique_ptr<Server>, std::string> open(control::Loop& loop,
                                                                           const ServerSettings& settings);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Before serve(). `subscribe`, `unsubscribe`, `rpc.methods` and `rpc.clients` are there already.
    [[nodiscard]] Methods& methods() { return methods_; }
    // `on_change(true)`: the first subscriber has come; false: the last one is gone.
    void add_topic(std::string name, std::string help, std::function<void(bool)> on_change);
    // Asked before a request is answered: false when what answers are made of is being fetched. Then requests wait for
    // resume(), not longer than hold_max. Before serve().
    void set_readiness(std::function<bool()> is_ready) { is_ready_ = std::move(is_ready); }
    void resume();
    void serve();
    // Answers what waits, and what has come unread, once: changes are refused with that. Before the program ends.
    void answer_last(const Error& why_no_changes);

    [[nodiscard]] std::size_t client_count() const { return clients_.size(); }
    [[nodiscard]] bool has_subscribers(std::string_view topic) const;
    // To all who subscribed; at once to those who read.
    void publish(std::string_view topic, const Json& data);

private:
    struct Client {
        os::Fd fd;
        Caller caller;
        pid_t pid = 0;
        uid_t uid = 0;
        LineBuffer lines{line_bytes_max};
        Outbox outbox;
        std::vector<bool> topics;  // subscribed
        Instant heard_at;
        Instant read_at;                              // it had read all, or some more
        std::size_t unread = 0;                       // what the kernel kept for it then
        Instant unread_since = never;                 // answers wait, and none of them was taken since
        std::pair<bool, bool> interest{true, false};  // in reading, in writing, as the loop has it
        bool has_more = false;                        // lines may wait that a later turn takes
        bool has_ended = false;                       // it sends nothing more
        bool is_gone = false;                         // to be forgotten
    };
    struct Topic {
        std::string name;
        std::string help;
        std::function<void(bool)> on_change;
        std::size_t subscribers = 0;
    };

    Server(control::Loop& loop, Listener listener, bool group_operates);
    void add_own_methods();
    void accept();
    void admit(os::Fd fd);
    [[nodiscard]] Client* silent_one(Instant now);
    void on_client(std::uint64_t id);
    void read(Client& client);
    void work(Client& client);
    void write(Client& client);
    static void note_reading(Client& client);
    [[nodiscard]] bool may_answer();
    [[nodiscard]] static bool reads(const Client& client);
    void work_on();
    void set_interest(Client& client, std::pair<bool, bool> interest);
    void tend();
    [[nodiscard]] Instant tend(Client& client, Instant now);
    void forget_gone();
    void set_subscribed(Client& client, std::size_t topic, bool wanted);
    [[nodiscard]] Client* find(std::uint64_t id);
    [[nodiscard]] std::size_t topic_index(std::string_view name) const;  // topics_.size(): none
    Outcome subscribe(const Params& params, const Caller& caller);
    Outcome unsubscribe(const Params& params, const Caller& caller);
    [[nodiscard]] Json clients_json() const;

    control::Loop& loop_;
    Listener listener_;
    bool group_operates_;
    Methods methods_;
    std::vector<Topic> topics_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::uint64_t clients_ever_ = 0;
    std::uint64_t clients_refused_ = 0;
    std::function<bool()> is_ready_;
    Instant held_since_ = never;       // requests wait for readiness
    control::Timer chores_;            // when somebody has to be looked after without having stirred
    Instant accept_again_at_ = never;  // no descriptor was left
};

}  // namespace hawser::rpc
