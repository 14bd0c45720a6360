// SPDX-License-Identifier: MIT
#include "platform/control/radio/radio_link.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/wire/radio_tlv.h"
#include "platform/linux/clock.h"
#include "platform/linux/sockaddr.h"

namespace hawser::control {

namespace {
// Of 32 datagrams each: beside a flood the loop's other work goes on.
constexpr std::size_t status_batches_max = 64;
// Less is what reading two clocks one after the other may show; a radiod's lifetimes are longer.
constexpr Duration sleep_min{1'000'000'000};

// Where the radiod of a status sends all of them; absent where it does not say.
std::optional<Endpoint> status_group_of(Bytes packet) {
    auto reader = wire::RadioReader::over(packet);
    wire::RadioElement element;
    while (reader && reader->next(element))
        if (element.field == static_cast<std::uint8_t>(wire::RadioField::status_dest_socket))
            return wire::radio_socket(element.value);
    return std::nullopt;
}
}  // namespace

RadioLink::RadioLink(Loop& loop, radio::Service& service, int ttl, Handler handler, Notice notice)
    : loop_(loop),
      service_(service),
      ttl_(ttl),
      handler_(std::move(handler)),
      notice_(std::move(notice)),
      slept_(os::slept()),
      receiver_(
          loop, GroupReceiver::Settings{},
          [this](std::span<const Datagram> received) {
              for (const Datagram& d : received)
                  for (std::size_t i = 0; i < radios_.size(); ++i)
                      if (radios_[i].membership == d.membership)
                          feed(radio::RadioId(static_cast<std::uint16_t>(i)), d.source, d.bytes);
              pump();
          },
          notice_) {
    receiver_.on_interfaces([this] {
        look_at_interfaces();
        if (on_interfaces_) on_interfaces_();
    });
    loop_.watch(timer_.fd(), [this] {
        timer_.acknowledge();
        ++figures_.wakes;
        // After a stop of this process an answer may lie there that came in time.
        take_waiting();
        const Duration slept = os::slept();
        if (slept - std::exchange(slept_, slept) >= sleep_min) on_slept();
        pump();
    });
}

RadioLink::~RadioLink() { loop_.unwatch(timer_.fd()); }

void RadioLink::take_waiting() { receiver_.take_waiting(status_batches_max); }

Result<radio::RadioId, GroupFault> RadioLink::add(const GroupSpec& status_group, const std::string& name) {
    const auto joined = receiver_.join(status_group);
    if (!joined) return Failure{joined.error()};
    const Radio added{status_group, name, *joined, sending_interface(status_group)};
    const auto dropped = std::find_if(radios_.begin(), radios_.end(), [&](const Radio& r) {
        return r.membership == MembershipId{} && r.spec == status_group && r.name == name;
    });
    const radio::RadioId radio(static_cast<std::uint16_t>(dropped - radios_.begin()));
    if (dropped != radios_.end()) {
        *dropped = added;
    } else {
        radios_.push_back(added);
        HAWSER_CHECK(service_.add_radio() == radio);
    }
    recall(radio);
    return radio;
}

void RadioLink::drop(radio::RadioId radio) { receiver_.leave(std::exchange(radios_[radio.index()].membership, {})); }

void RadioLink::tell(const radio::RadioEvent& event) {
    if (cache_ != nullptr) note_in_cache(event);
    listeners_.tell(event);
    handler_(event);
}

// -------- the cache

CachedGroup RadioLink::cached_group(radio::RadioId radio) const {
    const GroupSpec& spec = radios_[radio.index()].spec;
    return {spec.group, plain_interface(spec.interface)};
}

void RadioLink::recall(radio::RadioId radio) {
    if (cache_ == nullptr) return;
    const auto& known = cache_->state().radios;
    const auto found = known.find(cached_group(radio).key());
    if (found == known.end()) return;
    for (const auto& [ssrc, c] : found->second.channels)
        service_.recall(radio, c.source, c.status, os::now() - cache_->age_of(c));
}

void RadioLink::note_in_cache(radio::RadioId radio, const Endpoint& source, Bytes packet) {
    const Radio& r = radios_[radio.index()];
    CachedRadio heard;
    heard.name = r.name;
    heard.description = std::string(service_.status().frontend.description.view());
    cache_->learn_radio(cached_group(radio), heard);
    if (radio::is_ending(service_.status()))
        return cache_->forget_channel(cached_group(radio), service_.status().channel.ssrc);
    cache_->learn_channel(cached_group(radio), source, packet, service_.status());
}

// After a whole list, what is not on it has gone. Where nobody answered it may be there all the same.
void RadioLink::note_in_cache(const radio::RadioEvent& event) {
    const CachedGroup group = cached_group(event.radio);
    if (event.kind == radio::RadioEventKind::channel_removed) cache_->forget_channel(group, event.ssrc);
    if (event.kind != radio::RadioEventKind::list_done || event.cut_short) return;
    if (event.answers == 0) return cache_->mark_old(group);
    const auto found = cache_->state().radios.find(group.key());
    if (found == cache_->state().radios.end()) return;
    std::vector<std::uint32_t> gone;
    for (const auto& [ssrc, c] : found->second.channels)
        if (service_.roster().find(event.radio, ssrc) == nullptr) gone.push_back(ssrc);
    for (const std::uint32_t ssrc : gone) cache_->forget_channel(group, ssrc);
}

void RadioLink::feed(radio::RadioId radio, const Endpoint& source, Bytes packet) {
    const bool is_status = service_.on_packet(radio, source, packet, os::now());
    if (is_status) radios_[radio.index()].heard = os::now();
    if (is_status && cache_ != nullptr) note_in_cache(radio, source, packet);
    if (is_status && status_handler_) status_handler_(radio, source, service_.status());
    // The service's status is of this packet only as long as no other came.
    while (const auto event = service_.next_event()) tell(*event);
}

void RadioLink::take(radio::RadioId radio, const Endpoint& source, Bytes packet) {
    const auto group = status_group_of(packet);
    if (group && group->address != radios_[radio.index()].spec.group.address) {
        ++figures_.foreign;
        return;
    }
    feed(radio, source, packet);
    pump();
}

void RadioLink::pump() {
    if (std::exchange(is_pumping_, true)) return;  // a handler that asks for more gets it in the round under way
    bool has_more = true;
    while (has_more) {
        has_more = false;
        const Instant now = os::now();
        service_.turn(now);
        while (const auto packet = service_.next_packet(now)) send(*packet);
        while (const auto event = service_.next_event()) {
            tell(*event);
            has_more = true;
        }
    }
    timer_.set(service_.next_deadline());
    is_pumping_ = false;
}

Result<GroupSender*, GroupFault> RadioLink::sender_for(bool v4) {
    std::optional<GroupSender>& sender = senders_[v4 ? 1 : 0];
    if (!sender) {
        auto opened = GroupSender::open(v4, ttl_);
        if (!opened) return Failure{opened.error()};
        sender = std::move(opened).value();
    }
    return &*sender;
}

Result<Unit, GroupFault> RadioLink::send_by(const Radio& to, Bytes bytes) {
    const bool is_named = !to.spec.interface.empty();
    // By number 0 it would leave where the route goes, to another network's radiod.
    if (is_named && to.interface == 0)
        return Failure{GroupFault{Errno{ENODEV, "send"}, to.spec.group, to.spec.interface}};
    const auto sender = sender_for(to.spec.group.is_v4());
    if (!sender) return Failure{sender.error()};
    return (*sender)->send(bytes, to.spec.group, to.interface);
}

// What could not be sent is a packet lost: the tuner repeats it.
void RadioLink::send(const radio::Tuner::Packet& packet) {
    Radio& to = radios_[packet.radio.index()];
    if (to.membership == MembershipId{}) return;
    auto sent = send_by(to, packet.bytes);
    if (!sent) {
        // It may be another interface's turn now.
        const std::uint32_t before = std::exchange(to.interface, sending_interface(to.spec));
        if (before != to.interface) sent = send_by(to, packet.bytes);
    }
    ++(sent ? figures_.sent : figures_.send_failures);
    if (!sent && !to.fault) notice_(sent.error().text());
    if (sent && to.fault) notice_(os::endpoint_text(to.spec.group) + ": what is sent leaves again");
    to.fault.reset();
    if (!sent) to.fault = sent.error();
}

void RadioLink::on_slept() {
    for (std::size_t i = 0; i < radios_.size(); ++i)
        service_.check_now(radio::RadioId(static_cast<std::uint16_t>(i)), os::now());
    pump();
}

void RadioLink::look_at_interfaces() {
    const Instant now = os::now();
    for (std::size_t i = 0; i < radios_.size(); ++i) {
        Radio& r = radios_[i];
        if (r.membership == MembershipId{}) continue;
        const radio::RadioId radio(static_cast<std::uint16_t>(i));
        const std::uint32_t interface = sending_interface(r.spec);
        if (std::exchange(r.interface, interface) != interface && interface != 0) {
            // Another way: what was checked by the old one need not wait.
            service_.check_now(radio, now);
        } else {
            // It may have an address now, or a carrier, some time after it came.
            service_.retry_now(radio, now);
        }
    }
    pump();
}

}  // namespace hawser::control
