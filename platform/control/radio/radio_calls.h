// SPDX-License-Identifier: MIT
// Questions to radiods, each with a function for its answer: tune, create, ensure, remove, list, spectrum. Beside a
// RadioLink, on its thread; for programs that would rather not follow events.
//  - A function is called once, by the loop, after the call that took it has returned; with an answer, or with none
//    when the tuner's limit (5 s unless) is over. forget() takes it back: the question goes on, nobody is told.
//  - Functions may ask anything again, forget, and end the loop; the calls must not be destroyed by one.
//  - Another's channel is told nothing: ensure() asks after it without a word of its own, and where it has gone ends
//    what the question made.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "engine/base/strong.h"
#include "engine/radio/channel_spec.h"
#include "engine/radio/service.h"
#include "platform/control/radio/radio_link.h"

namespace hawser::control {

struct RadioAnswer {
    enum class Outcome : std::uint8_t {
        done,       // as it was asked for
        refused,    // radiod answers with another value of `field`; of spectrum(): bin_data, when no sweep came
        no_answer,  // of anybody, within the limit
        not_asked,  // no such number can be, or too much is under way: RadioClient's, who has no other way to say so
    };
    Outcome outcome = Outcome::no_answer;
    radio::RadioId radio;
    std::uint32_t ssrc = 0;  // of ensure(): of the channel that was found
    radio::RadioField field = radio::RadioField::eol;
    bool reused = false;                    // of ensure(): it was there
    const radio::Status* status = nullptr;  // radiod's, until the function returns; null without one and of a list
    Endpoint source;
    std::uint32_t packets = 0;
    Duration took;
    bool cut_short = false;  // of list(): it met a bound, and who is not on it may be there
};

class RadioCalls {
public:
    using Id = Strong<struct RadioCallTag, std::uint64_t>;
    using Function = std::function<void(const RadioAnswer&)>;
    using Asked = Result<Id, radio::TuneRefusal>;  // refused: no such number can be, or too much is under way

    RadioCalls(RadioLink& link, radio::Service& service);
    ~RadioCalls();
    RadioCalls(const RadioCalls&) = delete;
    RadioCalls& operator=(const RadioCalls&) = delete;

    // Done is that radiod has answered; it may not have taken all. A number that is not on the air is created.
    Asked tune(radio::RadioId radio, std::uint32_t ssrc, const radio::Command& command, Function function);
    // With one command, whatever is there; verified by value.
    Asked create(radio::RadioId radio, std::uint32_t ssrc, const radio::ChannelSpec& spec, Function function);
    // Finds an equal channel, under this number or whatever other, as far as is known (list() first), else makes one
    // under this.
    Asked ensure(radio::RadioId radio, std::uint32_t ssrc, const radio::ChannelSpec& spec, Function function);
    Asked remove(radio::RadioId radio, std::uint32_t ssrc, Function function);
    // Who is on the air is in the service's roster then. No answer: nobody is.
    Id list(radio::RadioId radio, Function function);
    // Makes or finds a spectrum channel (the specification's demodulator is one) and takes one sweep:
    // radio::spectrum_of() of the answer's status. Asked again it takes the next; the channel ends by its
    // specification's lifetime, without one it stays.
    Asked spectrum(radio::RadioId radio, std::uint32_t ssrc, const radio::ChannelSpec& spec, Function function);
    // False when it was answered, or never asked.
    bool forget(Id id);
    [[nodiscard]] std::size_t open() const { return calls_.size(); }

private:
    enum class Kind : std::uint8_t { request, want, list };
    enum class Step : std::uint8_t { last, foreign, sweep };  // what the answer is held against before it is one
    struct Call {
        Kind kind = Kind::request;
        std::uint64_t key = 0;  // the service's number for it; of a list the radio's
        std::optional<radio::ChannelSpec> spec{};
        Function function{};
        Step step = Step::last;
        std::uint32_t own = 0;  // of ensure(): the caller's number
        int empty = 0;          // sweeps without bins
        Instant asked{};
    };
    // The reply to the command that makes the channel has none, nor those of the first blocks: two seconds; untuned.
    static constexpr int empty_sweeps_max = 50;
    Id add(Call call);
    void on_event(const radio::RadioEvent& event);
    void answer(Kind kind, std::uint64_t key, const radio::RadioEvent& event);
    bool goes_on(Call& call, const radio::RadioEvent& event);
    bool want_own(Call& call, radio::RadioId radio, Instant now);
    [[nodiscard]] RadioAnswer answer_of(const Call& call, const radio::RadioEvent& event) const;

    RadioLink& link_;
    radio::Service& service_;
    std::uint64_t last_id_ = 0;
    std::unordered_map<std::uint64_t, Call> calls_;
};

}  // namespace hawser::control
