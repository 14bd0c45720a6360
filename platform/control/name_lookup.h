// SPDX-License-Identifier: MIT
// A peer's name, looked up beside the loop: by the system's resolver, and where that has said nothing within head_start
// or has failed, by each uplink. The first good answer is the answer; a failure names what each way said.
//  - One lookup at a time: of what is asked meanwhile the newest question comes next.
//  - A resolver that hangs holds nobody: uplinks answer without it, and those that come later are asked then. Where
//    they know no better either, that is the answer, which is not final; should the resolver find the name after that,
//    and before the next question, this is told too. It is asked one question at a time all the same.
//  - Nothing waits for a lookup at the end.
// Control thread only; what blocks runs on two threads of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "platform/control/links/link_lookup.h"
#include "platform/control/loop.h"
#include "platform/control/resolver.h"
#include "platform/control/worker.h"

namespace hawser::control {

class NameLookup {
public:
    enum class By : std::uint8_t {
        system_then_links,
        system,
        links,
    };
    struct Question {
        std::string host;
        std::uint16_t port = 0;
        By by = By::system_then_links;
        bool is_patient = false;  // the system's word is waited for where the uplinks know no better
    };
    // What blocks, called by the threads.
    struct Means {
        std::function<Resolution(const std::string& host, std::uint16_t port)> system;
        std::function<Resolution(const std::string& host, std::uint16_t port, const std::vector<LookupWay>& ways)>
            links;
    };
    using Handler = std::function<void(const Resolution&)>;
    // Asked when it is the uplinks' turn.
    using Ways = std::function<std::vector<LookupWay>()>;

    // A resolver near by has answered, or passed on what its own one said. Untuned. While it hangs and there is no
    // uplink to ask by, one is looked for as often.
    static constexpr Duration head_start{2'000'000'000};

    NameLookup(Loop& loop, Ways ways, Handler handler, Means means = {resolve, resolve_by_links});
    ~NameLookup() { loop_.unwatch(timer_.fd()); }
    NameLookup(const NameLookup&) = delete;
    NameLookup& operator=(const NameLookup&) = delete;

    // Each question that no newer one replaces gets one answer, by the loop; a good one may follow a failure.
    void ask(Question question);

private:
    // One of the two ways: what runs on its thread, and what has become of the current question there.
    struct Side {
        std::optional<Question> asked;     // runs; it may be an earlier one's
        bool is_wanted = false;            // its answer is waited for
        std::optional<Resolution> answer;  // that was no good
    };

    void begin(Question question);
    void on_timer();
    void settle();
    [[nodiscard]] bool is_turn_of_links() const;
    void post(Side& side, Worker& worker, const std::function<Resolution()>& run);
    void ask_system();
    void ask_links();
    void on_answer(Side& side, const Resolution& answer);
    void finish(const Resolution& answer);
    [[nodiscard]] Resolution failure() const;

    Loop& loop_;
    Ways ways_;
    Handler handler_;
    Means means_;
    std::optional<Question> current_;
    std::optional<Question> next_;
    std::optional<Resolution> ready_;  // the system's word, which took no thread
    bool is_system_owed_ = false;      // the last question was answered without its word
    Side system_;
    Side links_;
    Timer timer_;
    Worker system_worker_;
    Worker links_worker_;
};

}  // namespace hawser::control
