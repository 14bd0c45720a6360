// SPDX-License-Identifier: MIT
// The models that the conformance suite runs against. A model is a struct with
//   explicit Model(std::uint32_t slots)  a pool of that many slots and an Io over it
//   pool(), io()                         the two
//   drop_io()                            ends the Io's life, the pool's goes on
//   loopback_v4(), loopback_v6()         addresses (port 0) on which two sockets of one Io hear each other; no v6,
//   perhaps has_kernel                           whether what only a kernel does (ICMP errors, buffer limits) can be
//   tried can_thread                           whether wake() may come from another thread
// To add one, write it here and name it in HAWSER_IO_MODELS.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/pump/io.h"
#include "engine/sim/sim_io.h"
#include "platform/linux/epoll_io.h"
#include "platform/linux/memory.h"
#include "platform/linux/sockaddr.h"
#include "platform/linux/uring_io.h"

namespace hawser::test {

template <class IoType>
class RealModel {
public:
    using IoModel = IoType;
    static constexpr bool has_kernel = true;
    static constexpr bool can_thread = true;

    explicit RealModel(std::uint32_t slots = 4096)
        : slab_(os::Slab::create(std::size_t{slots} * pool_slot_bytes).value()),
          pool_(slab_.bytes(), pool_slot_bytes),
          io_(std::move(IoType::create(pool_)).value()) {}

    Pool& pool() { return pool_; }
    IoType& io() { return *io_; }
    void drop_io() { io_.reset(); }

    static Endpoint loopback_v4() { return *os::parse_address("127.0.0.1"); }
    static std::optional<Endpoint> loopback_v6() {
        SocketSpec spec;
        spec.local = *os::parse_address("::1");
        if (!os::open_udp(spec)) return std::nullopt;
        return spec.local;
    }

private:
    os::Slab slab_;
    Pool pool_;
    std::unique_ptr<IoType> io_;
};

using UringModel = RealModel<os::UringIo>;
using EpollModel = RealModel<os::EpollIo>;

// A host of its own in a world of its own; time passes in its waits only.
class SimModel {
public:
    using IoModel = sim::SimIo;
    static constexpr bool has_kernel = false;
    static constexpr bool can_thread = false;

    explicit SimModel(std::uint32_t slots = 4096)
        : world_(1),
          slab_(std::size_t{slots} * pool_slot_bytes),
          pool_(slab_, pool_slot_bytes),
          io_(std::make_unique<sim::SimIo>(world_, world_.add_host(), pool_)) {}

    Pool& pool() { return pool_; }
    sim::SimIo& io() { return *io_; }
    void drop_io() { io_.reset(); }

    static Endpoint loopback_v4() { return *os::parse_address("127.0.0.1"); }
    static std::optional<Endpoint> loopback_v6() { return *os::parse_address("::1"); }

private:
    sim::World world_;
    std::vector<std::uint8_t> slab_;
    Pool pool_;
    std::unique_ptr<sim::SimIo> io_;
};

}  // namespace hawser::test

#define HAWSER_IO_MODELS ::hawser::test::UringModel, ::hawser::test::EpollModel, ::hawser::test::SimModel
