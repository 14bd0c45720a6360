// SPDX-License-Identifier: MIT
#include "platform/control/name_lookup.h"

#include <utility>

#include "platform/linux/clock.h"

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
    loop_.watch(timer_.fd(), [this] {
        timer_.acknowledge();
        if (current_ && !links_.is_wanted && !links_.answer) ask_links();
    });
}

void NameLookup::ask(Question question) {
    if (current_)
        next_ = std::move(question);
    else
        begin(std::move(question));
}

void NameLookup::begin(Question question) {
    current_ = std::move(question);
    for (Side* const side : {&system_, &links_}) {
        side->is_wanted = false;
        side->answer.reset();
    }
    if (current_->by == By::links) return ask_links();
    ask_system();
    if (current_->by == By::system_then_links) timer_.set(os::now() + head_start);
}

// An earlier question that runs still is answered first, maybe with what this one asks for.
void NameLookup::ask_system() {
    system_.is_wanted = true;
    if (system_.asked) return;
    system_.asked = current_;
    static_cast<void>(system_worker_.post([this, question = *current_, run = means_.system]() -> Worker::Done {
        return [this, answer = run(question.host, question.port)] { on_answer(system_, answer); };
    }));
}

void NameLookup::ask_links() {
    std::vector<LookupWay> ways = ways_();
    // The system's word alone counts then.
    if (ways.empty() && current_->by != By::links) return;
    links_.is_wanted = true;
    if (links_.asked) return;
    links_.asked = current_;
    static_cast<void>(
        links_worker_.post([this, question = *current_, ways = std::move(ways), run = means_.links]() -> Worker::Done {
            return [this, answer = run(question.host, question.port, ways)] { on_answer(links_, answer); };
        }));
}

void NameLookup::on_answer(Side& side, const Resolution& answer) {
    const bool is_system = &side == &system_;
    const auto asked = std::exchange(side.asked, std::nullopt);
    if (!current_ || !side.is_wanted) return;
    side.is_wanted = false;
    if (!same_name(*asked, *current_)) {
        is_system ? ask_system() : ask_links();
    } else {
        if (answer.is_good()) return finish(answer);
        side.answer = answer;
        if (is_system && current_->by != By::system && !links_.is_wanted && !links_.answer) ask_links();
    }
    if (!system_.is_wanted && !links_.is_wanted) finish(failure());
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
    if (!system_.answer) return out;
    out.error = "the system's resolver: " + system_.answer->error + "; " + out.error;
    // The uplinks know no better.
    out.is_final = system_.answer->is_final && (out.is_final || !out.could_ask);
    return out;
}

}  // namespace hawser::control
