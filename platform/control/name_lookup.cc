// SPDX-License-Identifier: MIT
#include "platform/control/name_lookup.h"

#include <utility>

#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {

bool same_name(const NameLookup::Question& a, const NameLookup::Question& b) {
    return a.host == b.host && a.port == b.port;
}

}  // namespace

NameLookup::NameLookup(Loop& loop, Ways ways, Handler handler, Means means)
    : loop_(loop),
      ways_(std::move(ways)),
      handler_(std::move(handler)),
      means_(std::move(means)),
      system_worker_(loop, "hawser-names", 1, 1),
      links_worker_(loop, "hawser-dns", 1, 1) {
    loop_.watch(timer_.fd(), [this] { on_timer(); });
}

void NameLookup::ask(Question question) {
    if (current_)
        next_ = std::move(question);
    else
        begin(std::move(question));
}

void NameLookup::begin(Question question) {
    current_ = std::move(question);
    is_system_owed_ = false;
    for (Side* const side : {&system_, &links_}) {
        side->is_wanted = false;
        side->answer.reset();
    }
    if (current_->by == By::links) return ask_links();
    if (current_->by == By::system_then_links) timer_.set(os::now() + head_start);
    ask_system();
}

void NameLookup::on_timer() {
    timer_.acknowledge();
    if (ready_) return on_answer(system_, *std::exchange(ready_, std::nullopt));
    if (!current_) return;
    if (is_turn_of_links()) ask_links();
    settle();
}

bool NameLookup::is_turn_of_links() const { return current_->by != By::system && !links_.is_wanted && !links_.answer; }

// Where the uplinks have been asked in vain, the system's word is waited for no longer: it may never come.
void NameLookup::settle() {
    if (links_.is_wanted) return;
    if (!system_.is_wanted) return finish(failure());
    if (is_turn_of_links()) return timer_.set(os::now() + head_start);
    if (!links_.answer || current_->is_patient) return;
    const Resolution answer = failure();
    // An answer to an earlier question is not owed.
    is_system_owed_ = system_.asked && same_name(*system_.asked, *current_);
    finish(answer);
}

// An earlier question that runs still is answered first, maybe with what this one asks for.
void NameLookup::ask_system() {
    system_.is_wanted = true;
    if (system_.asked) return;
    post(system_, system_worker_,
         [question = *current_, run = means_.system] { return run(question.host, question.port); });
}

void NameLookup::ask_links() {
    std::vector<LookupWay> ways = ways_();
    // The system's word alone counts then.
    if (ways.empty() && current_->by != By::links) return;
    links_.is_wanted = true;
    if (links_.asked) return;
    post(links_, links_worker_, [question = *current_, ways = std::move(ways), run = means_.links] {
        return run(question.host, question.port, ways);
    });
}

void NameLookup::post(Side& side, Worker& worker, const std::function<Resolution()>& run) {
    side.asked = current_;
    const bool is_posted = worker.post(
        [this, &side, run]() -> Worker::Done { return [this, &side, answer = run()] { on_answer(side, answer); }; });
    if (is_posted) return;
    // Answered by the loop all the same; an address is its own answer.
    timer_.set(os::now());
    if (&side == &system_ && os::parse_address(current_->host)) {
        ready_ = run();
        return;
    }
    side.asked.reset();
    side.is_wanted = false;
    side.answer.emplace();
    side.answer->host = current_->host;
    side.answer->error = "no thread can be had to ask on";
}

void NameLookup::on_answer(Side& side, const Resolution& answer) {
    const bool is_system = &side == &system_;
    const auto asked = std::exchange(side.asked, std::nullopt);
    if (!current_ && is_system && std::exchange(is_system_owed_, false) && answer.is_good()) return handler_(answer);
    if (!current_ || !side.is_wanted) return;
    side.is_wanted = false;
    if (!same_name(*asked, *current_)) {
        is_system ? ask_system() : ask_links();
    } else {
        if (answer.is_good()) return finish(answer);
        side.answer = answer;
        if (is_system && is_turn_of_links()) ask_links();
    }
    settle();
}

void NameLookup::finish(const Resolution& answer) {
    timer_.set(never);
    current_.reset();
    // The handler may ask again, and after a newer question nobody needs the one that waits.
    if (next_) begin(*std::exchange(next_, std::nullopt));
    handler_(answer);
}

Resolution NameLookup::failure() const {
    if (!links_.answer) return *system_.answer;
    Resolution out = *links_.answer;
    if (!system_.answer) {
        out.is_final = out.is_final && current_->by == By::links;
        return out;
    }
    out.error = "the system's resolver: " + system_.answer->error + "; " + out.error;
    // The uplinks know no better.
    out.is_final = system_.answer->is_final && (out.is_final || !out.could_ask);
    return out;
}

}  // namespace hawser::control
