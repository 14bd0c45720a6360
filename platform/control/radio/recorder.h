// SPDX-License-Identifier: MIT
// Recordings beside the control loop: one worker thread writes them all, behind a queue of bounded bytes. The control
// thread begins, feeds and ends recordings and never waits for the disk.
//  - A full queue takes no samples: they are counted, told once a second at most, and become a gap in the recording. It
//    begins no recording either, which fails then. Gaps wait for room as a length, and ends are taken always.
//  - What fails is told and ends that recording alone.
//  - Samples reach the disk once a second and at the end of a file; events reach the control thread at once.
//  - Commands are handed what waits for them as they take it, and those whose audio is over are looked after, beside
//    the rest; nobody waits for one.
//  - The destructor writes out what is queued. A pipe that nobody reads is given up then, and no command waited for;
//    those that still take what waits for them, or were told to end, have stop_wait for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "platform/control/radio/recording.h"
#include "platform/linux/fd.h"

namespace hawser::control {

class Recorder {
public:
    struct Figures {
        std::uint64_t blocks = 0;   // of samples, taken
        std::uint64_t dropped = 0;  // refused: the queue was full
        std::size_t queued_bytes_max = 0;
    };

    static constexpr Duration stop_wait{1'000'000'000};

    // Seconds of some hundred channels; untuned.
    explicit Recorder(std::size_t queue_bytes = 16 << 20);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    // A recording that cannot be answers with a `failed` event.
    [[nodiscard]] std::uint32_t begin(RecordingSpec spec);
    // One block, whose first tick was at `unix_ns` where that is known; false when the queue is full.
    bool samples(std::uint32_t id, std::optional<std::int64_t> unix_ns, std::uint32_t ticks, Bytes payload);
    void gap(std::uint32_t id, std::uint64_t ticks);
    // Its last file gets its name; `closed` follows unless it had failed.
    void end(std::uint32_t id);

    // Readable when events wait.
    [[nodiscard]] int fd() const { return ready_.get(); }
    [[nodiscard]] std::vector<RecordingEvent> take();
    [[nodiscard]] const Figures& figures() const { return figures_; }

private:
    enum class Kind : std::uint8_t { begin, samples, gap, end };
    struct Item {
        Kind kind = Kind::gap;
        std::uint32_t id = 0;
        std::uint32_t size = 0;  // of its payload
        std::uint64_t ticks = 0;
        std::optional<std::int64_t> unix_ns;
    };
    // What the control thread filled and the worker takes as a whole.
    struct Batch {
        std::vector<Item> items;
        std::vector<std::uint8_t> bytes;
        std::vector<RecordingSpec> specs;  // of its `begin` items, in order
        void clear() {
            items.clear();
            bytes.clear();
            specs.clear();
        }
    };
    struct Fed {
        std::uint64_t owed_ticks = 0;    // of a gap that is not yet told to the worker
        std::uint64_t untold_ticks = 0;  // not yet told to the control thread
        std::int64_t told_s = -1;
        const char* late = "";  // who does not keep up with it
    };

    [[nodiscard]] std::size_t queued_bytes() const;
    [[nodiscard]] bool has_room(std::size_t payload_bytes);
    void put_owed(std::uint32_t id, Fed& fed);
    void put(const Item& item, Bytes payload);
    void tell_dropped(std::uint32_t id, Fed& fed);
    void run();
    // Until something is queued, a command takes something, or the time has come; whether it was a command.
    [[nodiscard]] bool wait(Instant flush_at);
    void hand_on();
    void carry_out(Batch& batch);
    void report(RecordingEvent event);
    void look_after_commands();

    const std::size_t queue_bytes_;
    os::Fd ready_;
    os::Fd wake_;      // the worker's
    Figures figures_;  // the control thread's, as the next two
    std::unordered_map<std::uint32_t, Fed> fed_;
    std::uint32_t last_id_ = 0;

    std::mutex mutex_;  // of what follows; held for copies only, never over a system call of the disk
    Batch filling_;
    bool is_stopping_ = false;
    std::vector<RecordingEvent> events_;

    std::atomic<bool> stop_{false};  // for a stream that waits for its reader
    Batch carrying_;                 // the worker's, as the next three
    std::map<std::uint32_t, std::unique_ptr<Recording>> recordings_;
    CommandEnds ends_;
    std::vector<pollfd> fds_;
    std::thread worker_;
};

}  // namespace hawser::control
