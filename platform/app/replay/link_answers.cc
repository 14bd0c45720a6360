// SPDX-License-Identifier: MIT
#include "platform/app/replay/link_answers.h"

#include "engine/wire/srtla.h"

namespace hawser::app {

namespace {

constexpr std::size_t entries_max = wire::srtla_ack_entries;
// A report that is older than so many before it is of a link that joined anew.
constexpr std::int32_t overtaken_max = 64;
// Reports that are so far apart have an outage between them, if anything is lost.
constexpr std::int64_t pause_ns = 150 * ms_ns;
// What was sent so long before the recording's end may still have been under way.
constexpr std::int64_t patience_ns = 500 * ms_ns;

}  // namespace

void LinkAnswers::on_ack(const LoggedPacket& p) {
    const auto ack = wire::SrtlaAck::over(p.head.first(p.head.size() / 4 * 4));
    if (!ack) return;
    const std::size_t count = std::min(ack->count(), entries_max);
    link_.has_partial_acks = link_.has_partial_acks || count < entries_max;
    for (std::size_t i = 0; i < count; ++i) {
        const auto sequence = ack->at(i);
        auto found = sequence ? find(sequence->raw(), next_acked_, p.at_ns) : std::nullopt;
        if (found) next_acked_ = *found + 1;
        if (!found && sequence) found = find(sequence->raw(), 0, p.at_ns);
        if (!found) continue;
        deliver(*found, p.at_ns);
        if (!link_.is_reported && i + 1 == count) stamp(*found, p.at_ns);
    }
}

void LinkAnswers::on_report(const CutReport& report, std::int64_t received_ns, std::int64_t clock_ns) {
    const std::int32_t newer = static_cast<std::int32_t>(report.number() - number_);
    const bool is_first = !has_report_;
    if (is_first || newer < -overtaken_max) {
        if (!is_first) end_count();
        arrived_ = report.arrived();
    } else {
        if (newer <= 0) return;
        arrived_ += static_cast<std::int32_t>(report.arrived() - static_cast<std::uint32_t>(arrived_));
    }
    has_report_ = true;
    number_ = report.number();
    if (received_ns - reported_ns_ > pause_ns) before_pause_ = reported_;
    reported_ns_ = received_ns;
    reported_ = arrived_;
    for (std::size_t i = 0; i < report.seen(); ++i) {
        const wire::ReportEntry entry = report.at(i);
        const std::int64_t age_ns = std::int64_t{entry.age_us()} * 1000;
        const Anchor last = anchors_.empty() ? Anchor{} : anchors_.back();
        const std::int64_t ordinal = arrived_ - (report.entries() - 1 - static_cast<std::int64_t>(i));
        // Each is said twice.
        if (!anchors_.empty() && ordinal <= last.ordinal) continue;
        const auto found = find(entry.sequence.raw(), next_reported_, received_ns - age_ns);
        if (!found) continue;
        next_reported_ = *found + 1;
        deliver(*found, received_ns);
        if (entry.has_time()) stamp(*found, clock_ns - age_ns);
        if (!anchors_.empty())
            settle_between(last, {ordinal, *found});
        else
            begin_count(ordinal, *found);
        anchors_.push_back({ordinal, *found});
    }
}

void LinkAnswers::finish(std::int64_t end_ns, const std::unordered_map<std::uint32_t, std::int64_t>& last_sent) {
    const auto& copies = link_.sends.copies();
    if (!anchors_.empty())
        end_count();
    else if (!has_report_)
        settle_by_acks(last_sent);
    std::size_t last = copies.size();
    while (last > 0 && copies[last - 1].fate != CopyFate::delivered) --last;
    if (last == 0) return;
    const std::int64_t until = end_ns - std::max(patience_ns, slowest_ns_ + patience_ns / 2);
    // ACKs come for ten at a time: of fewer nothing is known.
    if (!has_report_ && copies.size() - last < entries_max) return;
    for (std::size_t i = last; i < copies.size(); ++i)
        if (copies[i].sent_ns <= until && copies[i].fate == CopyFate::unknown) link_.sends[i].fate = CopyFate::lost;
}

std::optional<std::size_t> LinkAnswers::find(std::uint32_t sequence, std::size_t from, std::int64_t told_ns) const {
    // It had the time to go there and be answered.
    return link_.sends.find(sequence, from, told_ns - link_.round_trip_ns * 19 / 20);
}

void LinkAnswers::deliver(std::size_t i, std::int64_t told_ns) {
    SentCopy& copy = link_.sends[i];
    if (copy.fate != CopyFate::delivered) slowest_ns_ = std::max(slowest_ns_, told_ns - copy.sent_ns);
    copy.fate = CopyFate::delivered;
}

void LinkAnswers::stamp(std::size_t i, std::int64_t at_ns) {
    SentCopy& copy = link_.sends[i];
    if (copy.has_time) return;
    copy.has_time = true;
    copy.arrived_ns = at_ns;
}

// So many of the copies between two whose place is known came: those that are not known to have are lost as far as
// the count says so, one like the other.
void LinkAnswers::settle_between(const Anchor& a, const Anchor& b) {
    // Where reports paused in between, the link was dark: what came, came before, and its reports were lost as well.
    if (before_pause_ >= a.ordinal && before_pause_ < b.ordinal) {
        const std::int64_t came =
            std::min<std::int64_t>(b.ordinal - a.ordinal, static_cast<std::int64_t>(b.index - a.index));
        const std::size_t end = a.index + static_cast<std::size_t>(came);
        settle_range(a.index + 1, end, came);
        settle_range(end, b.index, 0);
        return;
    }
    settle_range(a.index + 1, b.index, b.ordinal - a.ordinal - 1);
}

void LinkAnswers::settle_range(std::size_t begin, std::size_t end, std::int64_t arrived) {
    std::int64_t known = 0;
    for (std::size_t i = begin; i < end; ++i) known += link_.sends.copies()[i].fate == CopyFate::delivered ? 1 : 0;
    const std::int64_t open = static_cast<std::int64_t>(end - begin) - known;
    const std::int64_t came = std::clamp<std::int64_t>(arrived - known, 0, open);
    std::int64_t sum = 0;
    for (std::size_t i = begin; i < end; ++i) {
        SentCopy& copy = link_.sends[i];
        if (copy.fate == CopyFate::delivered) continue;
        sum += came;
        copy.fate = sum >= open ? CopyFate::delivered : CopyFate::lost;
        if (sum >= open) sum -= open;
    }
}

// Before the first place that is known came as many as the count says, in order. Of those before them nothing came
// since the link joined; where it joined before the recording began, nothing is known.
void LinkAnswers::begin_count(std::int64_t ordinal, std::size_t index) {
    std::size_t i = index;
    for (std::int64_t left = ordinal - 1; left > 0 && i > settled_; --left) link_.sends[--i].fate = CopyFate::delivered;
    for (; has_rejoined_ && i > settled_; --i)
        if (link_.sends[i - 1].fate != CopyFate::delivered) link_.sends[i - 1].fate = CopyFate::lost;
}

// Behind the last place that is known came the rest of the count, in order.
void LinkAnswers::end_count() {
    if (anchors_.empty()) return;
    std::int64_t left = arrived_ - anchors_.back().ordinal;
    const auto& copies = link_.sends.copies();
    for (settled_ = anchors_.back().index + 1; settled_ < copies.size() && left > 0; ++settled_, --left)
        link_.sends[settled_].fate = CopyFate::delivered;
    has_rejoined_ = true;
    reported_ = before_pause_ = 0;
    anchors_.clear();
}

// One that was not named while later ones were is lost. But an ACK may be lost as well: then all of it, ten in a
// row as a rule, are not named, and nobody sends them again.
void LinkAnswers::settle_by_acks(const std::unordered_map<std::uint32_t, std::int64_t>& last_sent) {
    const auto& copies = link_.sends.copies();
    const auto is_known = [&](std::size_t i) { return copies[i].fate == CopyFate::delivered; };
    std::size_t i = 0;
    while (i < copies.size() && !is_known(i)) ++i;
    while (i < copies.size()) {
        std::size_t end = i + 1;
        while (end < copies.size() && !is_known(end)) ++end;
        if (end == copies.size()) return;
        bool was_missed = false;
        for (std::size_t k = i + 1; k < end; ++k)
            was_missed = was_missed || last_sent.at(copies[k].sequence) > copies[k].sent_ns;
        const bool is_ack_lost = !was_missed && (link_.has_partial_acks || (end - i - 1) % entries_max == 0);
        for (std::size_t k = i + 1; k < end && !is_ack_lost; ++k) link_.sends[k].fate = CopyFate::lost;
        i = end;
    }
}

}  // namespace hawser::app
