// SPDX-License-Identifier: MIT
#include "platform/control/radio/recorder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "platform/linux/clock.h"
#include "platform/linux/thread.h"

namespace hawser::control {

namespace {

constexpr Duration flush_period{1'000'000'000};
// Besides its payload, so that blocks without any are bounded too.
constexpr std::size_t item_bytes = 64;
constexpr std::size_t spec_bytes = 1024;  // with its strings, of usual length

std::int64_t now_s() { return os::now().ms() / 1000; }

os::Fd event_fd() {
    os::Fd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!fd.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
    return fd;
}
void raise(const os::Fd& event) {
    const std::uint64_t one = 1;
    // A full counter is readable already.
    [[maybe_unused]] const auto written = ::write(event.get(), &one, sizeof one);
}
void lower(const os::Fd& event) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(event.get(), &count, sizeof count);
}

}  // namespace

Recorder::Recorder(std::size_t queue_bytes) : queue_bytes_(queue_bytes), ready_(event_fd()), wake_(event_fd()) {
    worker_ = std::thread([this] { run(); });
}

Recorder::~Recorder() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    stop_.store(true, std::memory_order_relaxed);  // only makes waiting end; the lock orders the rest
    raise(wake_);
    worker_.join();
}

// Under the lock.
std::size_t Recorder::queued_bytes() const {
    return filling_.bytes.size() + filling_.items.size() * item_bytes + filling_.specs.size() * spec_bytes;
}

bool Recorder::has_room(std::size_t payload_bytes) {
    const std::lock_guard lock(mutex_);
    return queued_bytes() + payload_bytes <= queue_bytes_;
}

void Recorder::put_owed(std::uint32_t id, Fed& fed) {
    if (fed.owed_ticks != 0) put({Kind::gap, id, 0, std::exchange(fed.owed_ticks, 0), std::nullopt}, {});
}

void Recorder::put(const Item& item, Bytes payload) {
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        was_empty = filling_.items.empty();
        filling_.items.push_back(item);
        filling_.bytes.insert(filling_.bytes.end(), payload.begin(), payload.end());
        figures_.queued_bytes_max = std::max(figures_.queued_bytes_max, queued_bytes());
    }
    if (was_empty) raise(wake_);
}

std::uint32_t Recorder::begin(RecordingSpec spec) {
    const std::uint32_t id = ++last_id_;
    const char* const late = spec.command.empty() ? "the disk does not keep up" : "the writer does not keep up";
    if (!has_room(0)) {
        report({RecordingEvent::Kind::failed, id, "", std::string(late) + " with what is begun", 0});
        return id;
    }
    fed_.emplace(id, Fed{.late = late});
    bool was_empty = false;
    {
        // Both at once: the worker takes the batch as a whole, and reads the one by the other.
        const std::lock_guard lock(mutex_);
        was_empty = filling_.items.empty();
        filling_.specs.push_back(std::move(spec));
        filling_.items.push_back({Kind::begin, id, 0, 0, std::nullopt});
        figures_.queued_bytes_max = std::max(figures_.queued_bytes_max, queued_bytes());
    }
    if (was_empty) raise(wake_);
    return id;
}

bool Recorder::samples(std::uint32_t id, std::optional<std::int64_t> unix_ns, std::uint32_t ticks, Bytes payload) {
    const auto found = fed_.find(id);
    if (found == fed_.end()) return false;
    Fed& fed = found->second;
    const bool is_full = !has_room(payload.size());
    if (is_full) {
        ++figures_.dropped;
        fed.owed_ticks += ticks;
        fed.untold_ticks += ticks;
    } else {
        ++figures_.blocks;
        put_owed(id, fed);
        put({Kind::samples, id, static_cast<std::uint32_t>(payload.size()), ticks, unix_ns}, payload);
    }
    if (now_s() != fed.told_s) tell_dropped(id, fed);
    return !is_full;
}

void Recorder::tell_dropped(std::uint32_t id, Fed& fed) {
    if (fed.untold_ticks == 0) return;
    fed.told_s = now_s();
    report({RecordingEvent::Kind::dropped, id, "", fed.late, std::exchange(fed.untold_ticks, 0)});
}

void Recorder::gap(std::uint32_t id, std::uint64_t ticks) {
    const auto found = fed_.find(id);
    if (found == fed_.end()) return;
    found->second.owed_ticks += ticks;
    if (has_room(0)) put_owed(id, found->second);
}

void Recorder::end(std::uint32_t id) {
    const auto found = fed_.find(id);
    if (found == fed_.end()) return;
    // What was dropped last is as long as it was.
    put_owed(id, found->second);
    tell_dropped(id, found->second);
    fed_.erase(found);
    put({Kind::end, id, 0, 0, std::nullopt}, {});
}

std::vector<RecordingEvent> Recorder::take() {
    // Before the events are taken: one that comes in between is readable again.
    lower(ready_);
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
}

void Recorder::report(RecordingEvent event) {
    {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(event));
    }
    raise(ready_);
}

bool Recorder::wait(Instant flush_at) {
    fds_.assign(1, {wake_.get(), POLLIN, 0});
    for (const auto& [id, recording] : recordings_)
        if (const auto fd = recording->waiting_fd()) fds_.push_back({*fd, POLLOUT, 0});
    ends_.add_fds(fds_);
    // Nothing open, nothing to flush: no tick of its own.
    timespec left = os::to_timespec((flush_at - os::now()).ns);
    if (ends_.is_waiting()) left = os::to_timespec(CommandEnds::look_interval.ns);
    const bool has_tick = !recordings_.empty() || !ends_.empty();
    if (::ppoll(fds_.data(), fds_.size(), has_tick ? &left : nullptr, nullptr) <= 0) return false;
    lower(wake_);
    return std::any_of(fds_.begin() + 1, fds_.end(), [](const pollfd& p) { return p.revents != 0; });
}

// For commands that take what waits for them, and those that do not.
void Recorder::hand_on() {
    const Instant now = os::now();
    for (const auto& [id, recording] : recordings_) recording->feed_command(now);
}

void Recorder::run() {
    os::block_all_signals();  // SIGPIPE among them: a reader that is gone is an error of write()
    os::name_this_thread("hawser-files");
    Instant flush_at = os::now() + flush_period;
    for (bool is_stopping = false; !is_stopping;) {
        if (wait(flush_at)) hand_on();
        {
            const std::lock_guard lock(mutex_);
            is_stopping = is_stopping_;
            std::swap(filling_, carrying_);
        }
        carry_out(carrying_);
        carrying_.clear();
        look_after_commands();
        if (os::now() < flush_at) continue;
        for (const auto& [id, recording] : recordings_) recording->flush();
        hand_on();
        flush_at = os::now() + flush_period;
    }
    recordings_.clear();  // closes each
    look_after_commands();
    const Instant end = os::now() + stop_wait;
    const auto is_waiting = [this] {
        fds_.clear();
        ends_.add_fds(fds_);
        return !fds_.empty() || ends_.has_to_kill();
    };
    while (is_waiting() && os::now() < end) {
        ::poll(fds_.data(), fds_.size(), 50);
        look_after_commands();
    }
}

void Recorder::look_after_commands() {
    for (const CommandEnds::Outcome& o : ends_.look(os::now()))
        tell_outcome(o, [this](RecordingEvent e) { report(std::move(e)); });
}

void Recorder::carry_out(Batch& batch) {
    std::size_t at = 0;
    std::size_t spec = 0;
    for (const Item& item : batch.items) {
        const Bytes payload = Bytes(batch.bytes).subspan(at, item.size);
        at += item.size;
        if (item.kind == Kind::begin) {
            recordings_[item.id] = std::make_unique<Recording>(
                item.id, std::move(batch.specs[spec++]), stop_, [this](RecordingEvent e) { report(std::move(e)); },
                [this](EndingCommand c) { ends_.add(std::move(c), os::now()); });
            continue;
        }
        const auto found = recordings_.find(item.id);
        if (found == recordings_.end()) continue;
        if (item.kind == Kind::samples)
            found->second->samples(item.unix_ns, static_cast<std::uint32_t>(item.ticks), payload);
        else if (item.kind == Kind::gap)
            found->second->gap(item.ticks);
        else
            recordings_.erase(found);
    }
}

}  // namespace hawser::control
