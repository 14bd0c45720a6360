// SPDX-License-Identifier: MIT
// One end of the bond running on a thread of its own, as the control thread sees it: commands in, events and
// snapshots out, and an end. Owns the slab, the pool, the Io, the bond and the thread, in that order.
// The Io is chosen once, before the thread starts; everything the pump needs is allocated by then, and in builds that
// link the sealing operator new, an allocation after that aborts.
#pragma once

#include <sys/eventfd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "engine/border/border.h"
#include "engine/pump/pump.h"
#include "platform/app/flight/recorder_settings.h"
#include "platform/app/io_choice.h"
#include "platform/linux/epoll_io.h"
#include "platform/linux/errno_text.h"
#include "platform/linux/memory.h"
#include "platform/linux/thread.h"
#include "platform/linux/uring_io.h"

namespace hawser::app {

struct PumpSettings {
    IoKind io = IoKind::automatic;
    Duration coalesce{500'000};  // the longest wait for company; zero: prompt
    std::uint32_t pool_slots = pool_slots_default;
    std::uint32_t slot_bytes = pool_slot_bytes;
    std::uint32_t sockets_max = 64;
    std::optional<unsigned> cpu;
    const char* thread_name = "hawser-pump";
    RecorderSettings recorder;
};

template <class Bond>
class PumpService {
public:
    using Snapshot = typename Bond::Snapshot;

    // `make(pool)` answers a std::unique_ptr<Bond>; `prepare(snapshot)` sizes what a snapshot holds. The error is a
    // sentence that says what could not be had and why.
    template <class Make, class Prepare>
    [[nodiscard]] static Result<std::unique_ptr<PumpService>, std::string> start(const PumpSettings& settings,
                                                                                 Make&& make, Prepare&& prepare);
    ~PumpService() {
        if (thread_.joinable()) {
            stop();
            join();
        }
    }
    PumpService(const PumpService&) = delete;
    PumpService& operator=(const PumpService&) = delete;

    // False when the ring is full: the pump has not come round yet, try again.
    bool command(const Command& command) {
        if (!border_.commands.push(command)) return false;
        wake_();
        return true;
    }
    // `how`: stop or hand_over.
    void stop(CommandKind how = CommandKind::stop) {
        Command c;
        c.kind = how;
        while (!finished() && !command(c)) std::this_thread::yield();
    }
    void join() { thread_.join(); }

    [[nodiscard]] bool next_event(Event& event) { return border_.events.pop(event); }
    // True when snapshot() is newer than at the last call.
    [[nodiscard]] bool read_snapshot() { return border_.snapshots.read(); }
    [[nodiscard]] const Snapshot& snapshot() const { return border_.snapshots.value(); }
    // Readable when events wait or the pump has ended; read it empty before looking.
    [[nodiscard]] int fd() const { return told_.get(); }
    [[nodiscard]] bool finished() const { return finished_.load(std::memory_order_acquire); }
    // After finished(): whether it ended although nobody asked.
    [[nodiscard]] bool failed() const { return bond_->failed(); }
    [[nodiscard]] const IoChoice& io_choice() const { return choice_; }
    // To be read while it is held: the law of flight_recorder.h.
    [[nodiscard]] const FlightRecorder& recorder() const { return bond_->recorder(); }

private:
    PumpService(os::Slab slab, os::Slab records, std::uint32_t slot_bytes)
        : slab_(std::move(slab)), records_(std::move(records)), pool_(slab_.bytes(), slot_bytes) {}

    template <class IoModel>
    void run(IoModel& io, const PumpSettings& settings);
    void notify() {
        const std::uint64_t one = 1;
        // A counter that cannot be raised is readable already.
        [[maybe_unused]] const auto written = ::write(told_.get(), &one, sizeof one);
    }

    os::Slab slab_;
    os::Slab records_;
    Pool pool_;
    Border<Snapshot> border_;
    std::variant<std::monostate, std::unique_ptr<os::UringIo>, std::unique_ptr<os::EpollIo>> io_;
    std::unique_ptr<Bond> bond_;
    std::function<void()> wake_;
    IoChoice choice_;
    os::Fd told_;
    std::atomic<bool> finished_{false};
    std::thread thread_;
};

template <class Bond>
template <class Make, class Prepare>
Result<std::unique_ptr<PumpService<Bond>>, std::string> PumpService<Bond>::start(const PumpSettings& settings,
                                                                                 Make&& make, Prepare&& prepare) {
    // Of long slots mostly the beginning is used: they take room for addresses, and memory as it is touched.
    const auto pages = settings.slot_bytes > pool_slot_bytes ? os::Slab::Pages::on_demand : os::Slab::Pages::populated;
    auto slab = os::Slab::create(std::size_t{settings.pool_slots} * settings.slot_bytes, pages);
    if (!slab) return Failure{std::string("no memory for packets: ") + os::errno_text(slab.error())};
    // Nobody reads what was not written: with payload, much of it is never touched.
    const RecorderSettings& recorder = settings.recorder;
    auto records =
        os::Slab::create(std::max<std::size_t>(recorder.memory_bytes(), 1),
                         recorder.payload_bytes != 0 ? os::Slab::Pages::on_demand : os::Slab::Pages::populated);
    if (!records) return Failure{std::string("no memory for the flight recorder: ") + os::errno_text(records.error())};
    std::unique_ptr<PumpService> service(
        new PumpService(std::move(slab).value(), std::move(records).value(), settings.slot_bytes));
    service->told_ = os::Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!service->told_.is_open())
        return Failure{std::string("no event descriptor: ") + os::errno_text({errno, "eventfd"})};
    auto choice = choose_io(settings.io);
    if (!choice) return Failure{choice.error()};
    service->choice_ = *choice;
    for (Snapshot& s : service->border_.snapshots.slots_before_start()) prepare(s);
    service->bond_ = make(service->pool_);
    service->bond_->recorder().attach(service->records_.bytes().first(recorder.memory_bytes()), recorder.payload_bytes);

    const auto launch = [&](auto model) {
        auto* io = model.get();
        service->io_ = std::move(model);
        service->wake_ = [io] { io->wake(); };
        service->thread_ = std::thread([s = service.get(), io, settings] { s->run(*io, settings); });
    };
    if (choice->kind == IoKind::uring) {
        auto io = os::UringIo::create(service->pool_, {.sockets_max = settings.sockets_max});
        if (io) {
            launch(std::move(io).value());
            return service;
        }
        if (settings.io == IoKind::uring) return Failure{"io_uring is refused: " + uring_refusal(io.error())};
        service->choice_ = instead_of_uring(io.error());
    }
    auto io = os::EpollIo::create(service->pool_, {.sockets_max = settings.sockets_max});
    if (!io) return Failure{std::string("no epoll: ") + os::errno_text(io.error())};
    launch(std::move(io).value());
    return service;
}

template <class Bond>
template <class IoModel>
void PumpService<Bond>::run(IoModel& io, const PumpSettings& settings) {
    os::block_all_signals();
    os::name_this_thread(settings.thread_name);
    os::use_exact_timers();
    // A refused CPU is the operator's to see, and no reason not to run: the command line checks it beforehand.
    if (settings.cpu) static_cast<void>(os::pin_this_thread(*settings.cpu));
    const auto pump = std::make_unique<Pump<IoModel, Bond>>(io, pool_, *bond_, border_, settings.coalesce);
    os::seal();
    pump->start();
    notify();
    while (!pump->finished()) {
        pump->turn();
        if (pump->take_told()) [[unlikely]]
            notify();
    }
    pump->finish();
    os::unseal();
    finished_.store(true, std::memory_order_release);  // pairs with finished()
    notify();
}

}  // namespace hawser::app
