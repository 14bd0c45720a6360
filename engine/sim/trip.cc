// SPDX-License-Identifier: MIT
#include "engine/sim/trip.h"

#include <limits>
#include <memory>
#include <optional>

#include "engine/bond/receiver.h"
#include "engine/sim/line_machine.h"
#include "engine/sim/live_receiver.h"
#include "engine/sim/live_sender.h"
#include "engine/sim/plain_receiver.h"
#include "engine/sim/trip_end.h"
#include "engine/sim/trip_metrics.h"

namespace hawser::sim {
namespace {

const Endpoint caller_at = Endpoint::from_v4(0x7F00'0001, 40000);
const Endpoint listen_at = Endpoint::from_v4(0x7F00'0001, 5600);
const Endpoint server_at = Endpoint::from_v4(0x7F00'0001, 4001);
const Endpoint receiver_at = Endpoint::from_v4(0x0A09'0001, 5000);

// The timetable of the recorded experiments: the links are there, 0.4 s later the sender, 3.2 s later the SRT caller,
// which dials when its process has come up. The hour matters: the handshake's delay is the base of all deadlines.
constexpr Duration settling{3'600'000'000};
constexpr std::uint32_t start_jitter_us = 100'000;  // untuned
// In the experiments a signal starts the links' clock once the connection is up: the media are that much ahead.
// Untuned.
constexpr std::uint32_t signal_jitter_us = 2000;
constexpr Duration dial_patience{20'000'000'000};
// After the last payload's latency: what is late by less than this is still seen.
constexpr Duration after{800'000'000};
// What the links, the sender's history and both ends may hold.
constexpr std::size_t slab_bytes = std::size_t{32768} * pool_slot_bytes;

Endpoint uplink_at(std::size_t link, std::uint16_t port) {
    return Endpoint::from_v4(0x0A00'0001 + static_cast<std::uint32_t>(link + 1) * 0x100, port);
}
std::size_t link_of(const Endpoint& uplink) { return std::size_t{uplink.address[14]} - 1; }

class Journey {
public:
    explicit Journey(const Trip& trip);
    ~Journey();
    Journey(const Journey&) = delete;
    Journey& operator=(const Journey&) = delete;

    TripOutcome run();

private:
    struct Passenger {
        PacketRef packet;
        std::uint16_t port = 0;  // at the sender's end
    };
    using Line = LineMachine<Passenger>;

    void add_sender();
    void add_receiver();
    void run_until(Instant end);
    void run_encoder(Media& media, Instant end, TripOutcome& outcome);
    [[nodiscard]] Instant next() const;
    void step();
    void arrive_up(std::size_t link);
    void arrive_down(std::size_t link);
    void ride(Line& line, Instant& next, PacketRef packet, std::uint16_t port);
    void note(std::size_t line, const Passenger& p);
    // Absent when there is no room.
    [[nodiscard]] std::optional<PacketRef> make(Bytes head, std::uint16_t length);

    // The seams between the parts.
    void from_caller(Bytes head, std::uint16_t length);
    void from_server(Bytes head, std::uint16_t length);
    void to_server(Bytes head, std::uint16_t length) { server_->on_packet(head.first(length), now_); }
    static void from_sender(void* self, const Endpoint& from, const Endpoint& to, PacketRef packet);
    static void from_receiver(void* self, const Endpoint& from, const Endpoint& to, PacketRef packet);
    static void from_plain(void* self, std::size_t link, std::uint16_t port, Bytes packet);

    const Trip& trip_;
    Random random_;  // of everything but the network
    Instant now_{};
    // Not zeroed: of its 64 MiB a trip touches what it needs.
    std::unique_ptr<std::uint8_t[]> slab_ = std::make_unique_for_overwrite<std::uint8_t[]>(slab_bytes);
    std::vector<FlightRecord> flight_ = std::vector<FlightRecord>(trip_.recorded_packets);
    Pool pool_{std::span(slab_.get(), slab_bytes), pool_slot_bytes};
    std::vector<Line> up_;
    std::vector<Line> down_;
    std::vector<Instant> up_next_;
    std::vector<Instant> down_next_;
    std::unique_ptr<LiveSender> caller_;
    std::unique_ptr<LiveReceiver> server_;
    std::unique_ptr<TripEnd<bond::Sender>> sender_;
    std::unique_ptr<TripEnd<bond::Receiver>> receiver_;
    std::unique_ptr<PlainReceiver> plain_;
    Endpoint server_peer_;                          // the receiver's socket that the server answers
    std::uint64_t digest_ = 14695981039346656037u;  // FNV-1a's offset basis
    std::uint64_t events_ = 0;
    std::uint64_t unheld_ = 0;
};

Journey::Journey(const Trip& trip) : trip_(trip), random_(trip.seed ^ trip.repeat * 0x9E37'79B9) {
    HAWSER_CHECK(!trip.links.empty() && trip.links.size() <= links_max);
    for (std::size_t i = 0; i < trip.links.size(); ++i) {
        // Each direction draws from its own generator.
        const std::uint64_t seed = trip.seed * 1'000'003 + i * 2 + 1;
        up_.emplace_back(trip.links[i].up, seed, trip.series_bucket);
        down_.emplace_back(trip.links[i].down, seed + 1, trip.series_bucket);
    }
    up_next_.assign(up_.size(), never);
    down_next_.assign(down_.size(), never);
    const wire::Seq31 isn(static_cast<std::uint32_t>(random_.next()));
    caller_ = std::make_unique<LiveSender>(trip.srt, isn, SrtOutlet::of<Journey, &Journey::from_caller>(*this));
    server_ = std::make_unique<LiveReceiver>(trip.srt, SrtOutlet::of<Journey, &Journey::from_server>(*this));
    add_receiver();
    add_sender();
}

Journey::~Journey() = default;

void Journey::add_receiver() {
    if (trip_.receiver == TripReceiver::plain) {
        plain_ = std::make_unique<PlainReceiver>(trip_.links.size(), random_.next(),
                                                 SrtOutlet::of<Journey, &Journey::to_server>(*this),
                                                 PlainReceiver::LinkOutlet{this, from_plain});
        return;
    }
    bond::ReceiverOptions options = trip_.receiver_options;
    options.listen = Endpoint{};
    options.listen.port = receiver_at.port;
    options.groups_max = 2;
    Entropy entropy;
    for (std::uint8_t& b : entropy) b = static_cast<std::uint8_t>(random_.next());
    receiver_ = std::make_unique<TripEnd<bond::Receiver>>(pool_, now_, TripIo::Network{this, from_receiver},
                                                          trip_.coalesce, options, pool_, entropy);
    for (ReceiverSnapshot& s : receiver_->border().snapshots.slots_before_start())
        s.reserve(options.groups_max, options.groups_max * options.links_per_group_max);
    receiver_->start();
    Command c;
    c.kind = CommandKind::set_server;
    c.resolved.count = 1;
    c.resolved.addresses[0] = server_at;
    receiver_->command(c);
    receiver_->run();
}

void Journey::add_sender() {
    bond::SenderOptions options = trip_.sender;
    options.listen = listen_at;
    wire::GroupKey probe;
    for (std::uint8_t& b : probe) b = static_cast<std::uint8_t>(random_.next());
    sender_ = std::make_unique<TripEnd<bond::Sender>>(pool_, now_, TripIo::Network{this, from_sender}, trip_.coalesce,
                                                      options, pool_, probe, random_.next());
    if (!flight_.empty())
        sender_->bond().recorder().attach(
            {reinterpret_cast<std::uint8_t*>(flight_.data()), flight_.size() * sizeof(FlightRecord)}, 0);
    sender_->start();
    Command c;
    c.kind = CommandKind::set_receiver;
    c.resolved.count = 1;
    c.resolved.addresses[0] = receiver_at;
    sender_->command(c);
    c = Command{};
    c.kind = CommandKind::set_selection;
    c.selection = trip_.selection;
    sender_->command(c);
    for (std::size_t i = 0; i < trip_.links.size(); ++i) {
        c = Command{};
        c.kind = CommandKind::add_uplink;
        c.link = LinkId(static_cast<std::uint8_t>(i));
        c.uplink.source = uplink_at(i, 0);
        c.uplink.settings = trip_.links[i].settings;
        sender_->command(c);
    }
    sender_->run();
}

std::optional<PacketRef> Journey::make(Bytes head, std::uint16_t length) {
    const BufferId buffer = pool_.take();
    if (buffer == no_buffer) {
        ++unheld_;
        return std::nullopt;
    }
    std::copy(head.begin(), head.end(), pool_.data(buffer));
    std::fill(pool_.data(buffer) + head.size(), pool_.data(buffer) + length, std::uint8_t{0});
    return PacketRef{buffer, 0, length};
}

void Journey::ride(Line& line, Instant& next, PacketRef packet, std::uint16_t port) {
    if (!line.push(Passenger{packet, port}, packet.length, now_)) return;
    pool_.add_ref(packet.buffer);
    next = line.next();
}

void Journey::from_caller(Bytes head, std::uint16_t length) {
    if (const auto packet = make(head, length)) sender_->io().deliver(listen_at.port, caller_at, *packet);
}

void Journey::from_sender(void* self, const Endpoint& from, const Endpoint& to, PacketRef packet) {
    auto& j = *static_cast<Journey*>(self);
    if (to.is_loopback()) {
        j.caller_->on_packet(j.pool_.bytes(packet), j.now_);
        return;
    }
    const std::size_t link = link_of(from);
    j.ride(j.up_[link], j.up_next_[link], packet, from.port);
}

void Journey::from_receiver(void* self, const Endpoint& from, const Endpoint& to, PacketRef packet) {
    auto& j = *static_cast<Journey*>(self);
    if (to.is_loopback()) {
        j.server_peer_ = from;
        j.server_->on_packet(j.pool_.bytes(packet), j.now_);
        return;
    }
    const std::size_t link = link_of(to);
    j.ride(j.down_[link], j.down_next_[link], packet, to.port);
}

void Journey::from_plain(void* self, std::size_t link, std::uint16_t port, Bytes packet) {
    auto& j = *static_cast<Journey*>(self);
    const auto copy = j.make(packet, static_cast<std::uint16_t>(packet.size()));
    if (!copy) return;
    j.ride(j.down_[link], j.down_next_[link], *copy, port);
    j.pool_.release(copy->buffer);
}

void Journey::from_server(Bytes head, std::uint16_t length) {
    if (plain_)
        plain_->on_server(head.first(length));
    else if (const auto packet = make(head, length))
        receiver_->io().deliver(server_peer_.port, server_at, *packet);
}

void Journey::note(std::size_t line, const Passenger& p) {
    const auto mix = [this](std::uint64_t v) { digest_ = (digest_ ^ v) * 1099511628211u; };
    mix(static_cast<std::uint64_t>(now_.ns));
    mix(line << 32 | p.packet.length);
    mix(load_be32(pool_.data(p.packet)));
}

void Journey::arrive_up(std::size_t link) {
    Line& line = up_[link];
    Passenger p;
    while (line.pop(now_, p, [this](const Passenger& lost) { pool_.release(lost.packet.buffer); })) {
        note(link * 2, p);
        if (plain_) {
            plain_->on_link(link, p.port, pool_.bytes(p.packet), now_);
            pool_.release(p.packet.buffer);
        } else {
            receiver_->io().deliver(receiver_at.port, uplink_at(link, p.port), p.packet);
        }
    }
    up_next_[link] = line.next();
}

void Journey::arrive_down(std::size_t link) {
    Line& line = down_[link];
    Passenger p;
    while (line.pop(now_, p, [this](const Passenger& lost) { pool_.release(lost.packet.buffer); })) {
        note(link * 2 + 1, p);
        sender_->io().deliver(p.port, receiver_at, p.packet);
    }
    down_next_[link] = line.next();
}

Instant Journey::next() const {
    Instant earliest = std::min({caller_->due(), sender_->due(), server_->due()});
    if (receiver_) earliest = std::min(earliest, receiver_->due());
    for (const Instant t : up_next_) earliest = std::min(earliest, t);
    for (const Instant t : down_next_) earliest = std::min(earliest, t);
    return earliest;
}

void Journey::step() {
    ++events_;
    for (std::size_t i = 0; i < up_.size(); ++i) {
        if (up_next_[i] <= now_) arrive_up(i);
        if (down_next_[i] <= now_) arrive_down(i);
    }
    if (receiver_ && receiver_->due() <= now_) receiver_->run();
    if (server_->due() <= now_) server_->run(now_);
    if (caller_->due() <= now_) caller_->run(now_);
    if (sender_->due() <= now_) sender_->run();
}

void Journey::run_until(Instant end) {
    for (Instant t = next(); t <= end; t = next()) {
        now_ = std::max(now_, t);
        step();
    }
    now_ = std::max(now_, end);
}

// The media of an encoder that follows the sender's figure.
void Journey::run_encoder(Media& media, Instant end, TripOutcome& outcome) {
    const TripEncoder& encoder = trip_.encoder;
    const auto gap_of = [](double kbps) { return static_cast<double>(payload_bytes) * 8e6 / kbps; };
    caller_->begin(media.first, media.gap_ns, std::numeric_limits<std::uint32_t>::max());
    double kbps = trip_.kbit_per_second;
    for (Instant look = media.first + encoder.every; look < end; look = look + encoder.every) {
        run_until(look);
        const SafeRate& figure = sender_->bond().safe_rate();
        if (figure.is_known)
            kbps = std::clamp(static_cast<double>(figure.bits_per_second) / 1000, encoder.kbit_per_second_min,
                              encoder.kbit_per_second_max);
        outcome.encoder_kbps.push_back(kbps);
        caller_->set_gap(gap_of(kbps));
    }
    run_until(end);
    caller_->end_media();
    media.times = caller_->times();
    media.count = media.times.size();
    media.gap_ns = trip_.seconds * 1e9 / static_cast<double>(std::max<std::uint64_t>(media.count, 1));
}

TripOutcome Journey::run() {
    TripOutcome outcome;
    run_until(Instant{} + settling + Duration{std::int64_t{random_.below(start_jitter_us)} * 1000});
    caller_->connect(now_);
    const Instant patience = now_ + dial_patience;
    while (!caller_->connected() && now_ < patience) {
        now_ = std::max(now_, std::min(next(), patience));
        step();
    }
    outcome.connected = caller_->connected();
    const Instant begun = now_;
    for (Line& line : up_) line.begin(now_);
    for (Line& line : down_) line.begin(now_);
    Media media = media_of(trip_, now_ + trip_.lead - Duration{std::int64_t{random_.below(signal_jitter_us)} * 1000});
    const Instant end = media.first + Duration{static_cast<std::int64_t>(trip_.seconds * 1e9)};
    if (trip_.encoder.follows)
        run_encoder(media, end, outcome);
    else
        caller_->begin(media.first, media.gap_ns, media.count);
    run_until(end);
    sender_->bond().fill(outcome.sender, now_);
    sender_->bond().recorder().hold();
    sender_->bond().recorder().each([&](const FlightRecord& r, Bytes) { outcome.flight.push_back(r); });
    run_until(now_ + trip_.srt.latency + after);

    judge(trip_, media, server_->reads(), outcome);
    for (std::size_t i = 0; i < up_.size(); ++i) {
        LinkOutcome link;
        link.up = up_[i].figures(now_);
        link.down = down_[i].figures(now_);
        outcome.links.push_back(link);
    }
    count_bytes(media, (now_ - begun), outcome);
    const LiveSenderCounts& sent = caller_->counts();
    outcome.srt_unique = sent.unique;
    outcome.srt_retransmissions = sent.again;
    outcome.srt_sender_drops = sent.dropped;
    outcome.srt_acks = sent.acks;
    outcome.srt_naks = sent.naks;
    outcome.refused = sent.refused;
    const LiveReceiverCounts& got = server_->counts();
    outcome.srt_given_up = got.given_up;
    outcome.srt_belated = got.belated;
    outcome.srt_repeated = got.repeated;
    outcome.retrans_overhead =
        static_cast<double>(sent.again) / static_cast<double>(std::max<std::uint64_t>(sent.unique, 1));
    outcome.digest = digest_;
    outcome.events = events_;
    outcome.unheld = unheld_;
    return outcome;
}

}  // namespace

TripOutcome run(const Trip& trip) {
    const auto journey = std::make_unique<Journey>(trip);
    return journey->run();
}

}  // namespace hawser::sim
