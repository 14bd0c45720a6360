// SPDX-License-Identifier: MIT
#include "engine/sim/world.h"

#include <cerrno>

#include "engine/base/check.h"

namespace hawser::sim {
namespace {

// Linux's net.core.rmem_default on the kernels that hawser is for.
constexpr std::size_t receive_buffer_default = 212'992;
// What one datagram costs in the receive buffer beyond its payload; Linux charges for the whole socket buffer.
constexpr std::size_t datagram_overhead_bytes = 768;  // untuned
// More than this many events at one instant: somebody answers an answer for ever.
constexpr std::uint64_t steps_at_instant_max = 1'000'000;

bool same_address(const Endpoint& a, const Endpoint& b) { return a.address == b.address && a.scope == b.scope; }

Endpoint without_port(Endpoint e) {
    e.port = 0;
    return e;
}

bool same_family(const Endpoint& a, const Endpoint& b) { return a.is_v4() == b.is_v4(); }

// True when a socket bound to `local` is reached under `address`. The all-zero address takes both families.
bool covers(const Endpoint& local, const Endpoint& address) {
    if (!local.is_any()) return same_address(local, address);
    return !local.is_v4() || address.is_v4();
}

std::size_t charge(const Datagram& datagram) { return datagram.bytes.size() + datagram_overhead_bytes; }

}  // namespace

HostId World::add_host() {
    hosts_.emplace_back();
    return HostId(static_cast<std::uint32_t>(hosts_.size() - 1));
}

void World::add_address(HostId host, const Endpoint& address) {
    HAWSER_CHECK(!address.is_loopback() && !address.is_any());
    hosts_[host.index()].addresses.push_back(without_port(address));
}

void World::remove_address(HostId host, const Endpoint& address) {
    std::erase_if(hosts_[host.index()].addresses, [&](const Endpoint& e) { return same_address(e, address); });
}

Path& World::add_path(const Endpoint& from, const Endpoint& to, const LinkShape& shape) {
    const std::uint64_t seed = seed_ * 0x9E3779B97F4A7C15u + routes_.size() + 1;
    routes_.push_back(Route{without_port(from), without_port(to), std::make_unique<Path>(seed, shape)});
    return *routes_.back().path;
}

Path* World::path(const Endpoint& from, const Endpoint& to) {
    for (Route& r : routes_)
        if (same_address(r.from, from) && same_address(r.to, to)) return r.path.get();
    return nullptr;
}

void World::set_nat(const Endpoint& inside, const Endpoint& outside) {
    Nat nat;
    nat.inside = without_port(inside);
    nat.outside = without_port(outside);
    nats_.push_back(std::move(nat));
}

void World::renumber(const Endpoint& inside) {
    for (Nat& nat : nats_)
        if (same_address(nat.inside, inside)) {
            nat.out.clear();
            nat.back.clear();
        }
}

bool World::owns(const Host& host, const Endpoint& address) const {
    if (address.is_loopback()) return true;
    for (const Endpoint& e : host.addresses)
        if (same_address(e, address)) return true;
    return false;
}

Endpoint World::source_for(const Host& host, const Endpoint& to) const {
    if (to.is_loopback()) return without_port(to);
    for (const Endpoint& e : host.addresses)
        if (same_family(e, to)) return e;
    return Endpoint{};
}

bool World::port_taken(const Host& host, const Endpoint& local) const {
    const auto found = host.by_port.find(local.port);
    if (found == host.by_port.end()) return false;
    for (const Handle h : found->second) {
        const Endpoint& other = sockets_[h.index()].local;
        if (covers(other, local) || covers(local, other)) return true;
    }
    return false;
}

int World::fault(const std::vector<Fault>& faults, const Endpoint& local) const {
    for (const Fault& f : faults)
        if (same_address(f.local, local) && (f.local.port == 0 || f.local.port == local.port) && now_ < f.until)
            return f.error;
    return 0;
}

int World::bind(Host& host, HostId, Endpoint& local) const {
    if (!local.is_any() && !owns(host, local)) return EADDRNOTAVAIL;
    if (local.port != 0) return port_taken(host, local) ? EADDRINUSE : 0;
    for (int tries = 0; tries < 32768; ++tries) {
        local.port = host.next_port;
        host.next_port = host.next_port == 65535 ? 32768 : static_cast<std::uint16_t>(host.next_port + 1);
        if (!port_taken(host, local)) return 0;
    }
    return EADDRINUSE;
}

Result<Handle, Errno> World::open(HostId id, const SocketSpec& spec, Inbox& inbox) {
    Host& host = hosts_[id.index()];
    Socket s;
    s.host = id;
    s.local = spec.local;
    s.remote = spec.remote;
    s.connected = spec.connected;
    s.open = true;
    s.receive_bytes_max = spec.receive_buffer_bytes != 0 ? spec.receive_buffer_bytes : receive_buffer_default;
    s.inbox = &inbox;
    if (const int error = fault(open_faults_, spec.local)) return Failure{Errno{error, "bind"}};
    if (s.connected && s.local.is_any()) {
        const Endpoint source = source_for(host, s.remote);
        if (source.is_any()) return Failure{Errno{ENETUNREACH, "connect"}};
        const std::uint16_t port = s.local.port;
        s.local = source;
        s.local.port = port;
    }
    if (const int error = bind(host, id, s.local)) return Failure{Errno{error, "bind"}};
    if (s.connected && !same_family(s.local, s.remote)) return Failure{Errno{EAFNOSUPPORT, "connect"}};
    const Handle handle(static_cast<std::uint32_t>(sockets_.size()));
    host.by_port[s.local.port].push_back(handle);
    sockets_.push_back(s);
    return handle;
}

void World::close(Handle handle) {
    Socket& s = sockets_[handle.index()];
    HAWSER_CHECK(s.open);
    s.open = false;
    std::erase(hosts_[s.host.index()].by_port[s.local.port], handle);
    std::erase_if(*s.inbox, [&](const Arrival& a) { return a.socket == handle; });
}

Endpoint World::local(Handle handle) const { return sockets_[handle.index()].local; }

std::uint32_t World::payload_bytes_max(Handle handle) {
    const Socket& s = sockets_[handle.index()];
    const Path* way = s.connected ? path(s.local, s.remote) : nullptr;
    return way != nullptr ? way->payload_bytes_max : 0;
}

int World::send(Handle handle, const Endpoint* to, Bytes bytes) {
    const Socket& s = sockets_[handle.index()];
    HAWSER_CHECK(s.open && (s.connected || to != nullptr));
    const Host& host = hosts_[s.host.index()];
    Datagram datagram;
    datagram.from = s.local;
    datagram.to = s.connected ? s.remote : *to;
    if (const int error = fault(send_faults_, s.local)) return error;
    if (s.local.is_any()) {
        const std::uint16_t port = s.local.port;
        datagram.from = source_for(host, datagram.to);
        datagram.from.port = port;
    }
    if (datagram.from.is_any() || !owns(host, datagram.from)) return ENETUNREACH;
    if (datagram.to.port == 0 || datagram.to.is_any()) return EINVAL;
    if (datagram.from.is_loopback() != datagram.to.is_loopback()) return EINVAL;
    if (bytes.size() > 65507) return EMSGSIZE;
    const Path* way = path(datagram.from, datagram.to);
    if (way != nullptr && way->payload_bytes_max != 0 && bytes.size() > way->payload_bytes_max) return EMSGSIZE;
    datagram.bytes.assign(bytes.begin(), bytes.end());
    dispatch(s.host, std::move(datagram));
    return 0;
}

// Onto the path, through the translators at either end. The path is that of the inside addresses.
void World::dispatch(HostId source, Datagram&& datagram) {
    if (datagram.to.is_loopback()) {
        loopback_.emplace_back(source, std::move(datagram));
        return;
    }
    for (Nat& nat : nats_)
        if (same_address(nat.outside, datagram.to)) {
            const auto mapped = nat.back.find(datagram.to.port);
            if (mapped == nat.back.end()) return;
            const std::uint16_t port = mapped->second;
            datagram.to = nat.inside;
            datagram.to.port = port;
        }
    Path* way = path(datagram.from, datagram.to);
    for (Nat& nat : nats_)
        if (same_address(nat.inside, datagram.from)) {
            auto mapped = nat.out.find(datagram.from.port);
            if (mapped == nat.out.end()) {
                mapped = nat.out.emplace(datagram.from.port, nat.next_port).first;
                nat.back.emplace(nat.next_port, datagram.from.port);
                ++nat.next_port;
            }
            const std::uint16_t port = mapped->second;
            datagram.from = nat.outside;
            datagram.from.port = port;
        }
    (way != nullptr ? *way : *direct_).push(std::move(datagram), now_);
}

std::optional<HostId> World::host_of(const Endpoint& address) const {
    for (std::size_t i = 0; i < hosts_.size(); ++i)
        for (const Endpoint& e : hosts_[i].addresses)
            if (same_address(e, address)) return HostId(static_cast<std::uint32_t>(i));
    return std::nullopt;
}

// A connected socket of this very peer, else an unconnected one bound to the address, else one bound to any.
World::Socket* World::receiver_of(HostId host, const Datagram& datagram, Handle& handle) {
    auto& by_port = hosts_[host.index()].by_port;
    const auto found = by_port.find(datagram.to.port);
    if (found == by_port.end()) return nullptr;
    Socket* best = nullptr;
    int best_rank = 0;
    for (const Handle h : found->second) {
        Socket& s = sockets_[h.index()];
        if (!covers(s.local, datagram.to)) continue;
        if (s.connected && !(s.remote == datagram.from)) continue;
        const int rank = s.connected ? 3 : s.local.is_any() ? 1 : 2;
        if (rank > best_rank) {
            best = &s;
            best_rank = rank;
            handle = h;
        }
    }
    return best;
}

void World::arrive(HostId host, Datagram&& datagram) {
    Handle handle;
    Socket* s = receiver_of(host, datagram, handle);
    note(datagram);
    if (datagram.error != 0) {
        // Linux tells an unconnected socket nothing.
        if (s != nullptr && s->connected) s->inbox->push_back(Arrival{handle, std::move(datagram)});
        return;
    }
    if (s == nullptr) {
        Datagram refusal;
        refusal.from = datagram.to;
        refusal.to = datagram.from;
        refusal.error = ECONNREFUSED;
        dispatch(host, std::move(refusal));
        return;
    }
    if (s->receive_bytes + charge(datagram) > s->receive_bytes_max) {
        ++receive_buffer_drops_;
        return;
    }
    s->receive_bytes += charge(datagram);
    s->inbox->push_back(Arrival{handle, std::move(datagram)});
}

void World::took(const Arrival& arrival) {
    if (arrival.datagram.error == 0) sockets_[arrival.socket.index()].receive_bytes -= charge(arrival.datagram);
}

void World::note(const Datagram& datagram) {
    const auto mix = [this](std::uint64_t v) { digest_ = (digest_ ^ v) * 1099511628211u; };
    mix(static_cast<std::uint64_t>(now_.ns));
    mix(datagram.from.hash());
    mix(datagram.to.hash());
    mix(static_cast<std::uint64_t>(datagram.error));
    for (const std::uint8_t b : datagram.bytes) mix(b);
}

void World::fail_open(const Endpoint& local, int error) {
    std::erase_if(open_faults_, [&](const Fault& f) { return f.local == local; });
    if (error != 0) open_faults_.push_back(Fault{local, error, never});
}

void World::fail_sends(const Endpoint& local, int error, Instant until) {
    std::erase_if(send_faults_, [&](const Fault& f) { return f.local == local; });
    if (error != 0) send_faults_.push_back(Fault{local, error, until});
}

void World::remove_program(const void* self) {
    std::erase_if(programs_, [&](const Program& p) { return p.self == self; });
}

Instant World::next() const {
    if (!loopback_.empty()) return now_;
    Instant earliest = direct_->next();
    for (const Route& r : routes_) earliest = std::min(earliest, r.path->next());
    for (const Program& p : programs_) earliest = std::min(earliest, p.due(p.self));
    return std::max(earliest, now_);
}

void World::step(Instant limit) {
    const Instant then = next();
    if (then > limit) {
        HAWSER_CHECK(limit != never);  // nothing will ever happen again, and somebody waits for it
        now_ = std::max(now_, limit);
        steps_at_instant_ = 0;
        return;
    }
    steps_at_instant_ = then == now_ ? steps_at_instant_ + 1 : 0;
    HAWSER_CHECK(steps_at_instant_ < steps_at_instant_max);
    now_ = then;
    for (std::size_t n = loopback_.size(); n > 0; --n) {
        auto [host, datagram] = std::move(loopback_.front());
        loopback_.pop_front();
        arrive(host, std::move(datagram));
    }
    arrived_.clear();
    direct_->advance(now_, arrived_);
    for (Route& r : routes_) r.path->advance(now_, arrived_);
    for (Datagram& datagram : arrived_)
        if (const auto host = host_of(datagram.to)) arrive(*host, std::move(datagram));
    for (std::size_t i = 0; i < programs_.size(); ++i)
        if (programs_[i].due(programs_[i].self) <= now_) programs_[i].run(programs_[i].self, now_);
}

void World::run_until(Instant end) {
    while (now_ < end || next() <= end) {
        if (next() > end) {
            now_ = end;
            return;
        }
        step(end);
    }
}

}  // namespace hawser::sim
